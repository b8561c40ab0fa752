"""The lesson that textrnn began as: forty toy reviews and a recurrent network written out step by step."""

from textrnn.lesson.notebook import write_notebook
from textrnn.lesson.order import OrderReview, order_reviews
from textrnn.lesson.program import RECIPE, LessonResult, lesson, reviews

__all__ = ["RECIPE", "LessonResult", "OrderReview", "lesson", "order_reviews", "reviews", "write_notebook"]
