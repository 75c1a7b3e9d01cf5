"""What is measured on whole documents reads plan 188, too."""

from ground.plan_documents import nghe_an, page, plan_188, text_188, word

__all__ = ["nghe_an", "page", "plan_188", "text_188", "word"]
