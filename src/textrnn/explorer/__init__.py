"""A page on which a classifier computes at each keystroke, in the browser. Never imports torch."""





