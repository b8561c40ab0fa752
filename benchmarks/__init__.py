"""One question a module; each checks that both sides compute the same before it times them."""
