"""The admin. Every change goes through the services."""

from django.contrib import admin

from articles.admin.agents import AgentAdmin
from articles.admin.article import ArticleAdmin
from articles.admin.costs import SpendingLimitAdmin
from articles.admin.history import RunAdmin
from articles.admin.keys import ApiKeyAdmin
from articles.admin.queues import QueuesAdmin
from articles.admin.quotas import QuotaAdmin
from articles.admin.users import StudioUserAdmin
from articles.admin.voices import VoiceAdmin

__all__ = [
    "AgentAdmin",
    "ApiKeyAdmin",
    "ArticleAdmin",
    "QueuesAdmin",
    "QuotaAdmin",
    "RunAdmin",
    "SpendingLimitAdmin",
    "StudioUserAdmin",
    "VoiceAdmin",
]

admin.site.site_header = admin.site.site_title = "Content Studio"
admin.site.index_title = "Administration"
