from articles.models.agent import AgentProfile
from articles.models.api_key import ApiKey
from articles.models.article import Article, Revision
from articles.models.evidence import Evidence
from articles.models.maintenance import BackupState, SchemaVersion
from articles.models.quota import Quota
from articles.models.run import Event, Run, Step
from articles.models.source import Source
from articles.models.spending import Spending, SpendingLimit
from articles.models.status import Status, StepStatus
from articles.models.unsaved_text import UnsavedText
from articles.models.voice import Voice

__all__ = [
    "AgentProfile",
    "ApiKey",
    "Article",
    "BackupState",
    "Event",
    "Evidence",
    "Quota",
    "Revision",
    "Run",
    "SchemaVersion",
    "Source",
    "Spending",
    "SpendingLimit",
    "Status",
    "Step",
    "StepStatus",
    "UnsavedText",
    "Voice",
]
