from articles.models.api_key import ApiKey
from articles.models.article import Article, Revision
from articles.models.run import Event, Run, Step
from articles.models.source import Source
from articles.models.status import Status, StepStatus

__all__ = ["ApiKey", "Article", "Event", "Revision", "Run", "Source", "Status", "Step", "StepStatus"]
