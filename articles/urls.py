"""URLs of the pages."""

from __future__ import annotations

from django.urls import URLPattern, path

from articles import views

urlpatterns: list[URLPattern] = [
    path("", views.article_list, name="article_list"),
    path("articles/new/", views.article_new, name="article_new"),
    path("articles/titles", views.article_titles, name="article_titles"),
    path("articles/estimate/", views.brief_estimate, name="brief_estimate"),
    path("articles/<int:pk>/", views.article_detail, name="article_detail"),
    path("articles/<int:pk>/live", views.article_live, name="article_live"),
    path("articles/<int:pk>/evidence/", views.article_evidence, name="article_evidence"),
    path("articles/<int:pk>/origins/", views.article_origins, name="article_origins"),
    path("articles/<int:pk>/cancel", views.cancel_run, name="cancel_run"),
    path("articles/<int:pk>/retry", views.retry_run, name="retry_run"),
    path("articles/<int:pk>/keep-text", views.keep_text, name="keep_text"),
    path("articles/<int:pk>/duplicate", views.duplicate_brief, name="duplicate_brief"),
    path("articles/<int:pk>/write-again", views.write_again, name="write_again"),
    path("articles/<int:pk>/delete", views.delete_article, name="delete_article"),
    path("articles/<int:pk>/outline/", views.outline_edit, name="outline_edit"),
    path("articles/<int:pk>/outline/approve", views.approve_outline, name="approve_outline"),
    path("articles/<int:pk>/outline/words", views.outline_words, name="outline_words"),
    path("articles/<int:pk>/text/", views.text_edit, name="text_edit"),
    path("articles/<int:pk>/text/preview", views.text_preview, name="text_preview"),
    path("articles/<int:pk>/text/sources", views.text_sources, name="text_sources"),
    path("articles/<int:pk>/text/unsaved", views.keep_unsaved_text, name="keep_unsaved_text"),
    path("articles/<int:pk>/text/unsaved/discard", views.discard_unsaved_text, name="discard_unsaved_text"),
    path("articles/<int:pk>/revisions/", views.revision_list, name="revision_list"),
    path("articles/<int:pk>/revisions/compare/", views.revision_compare, name="revision_compare"),
    path("articles/<int:pk>/revisions/<int:number>/", views.revision_detail, name="revision_detail"),
    path("articles/<int:pk>/revisions/<int:number>/restore", views.restore_revision, name="restore_revision"),
    path("articles/<int:pk>/revisions/<int:number>/restore-change", views.restore_change, name="restore_change"),
    path("articles/<int:pk>/revisions/<int:number>/name", views.name_revision, name="name_revision"),
    path("articles/<int:pk>/download/<slug:format>", views.article_download, name="article_download"),
    path("account/", views.account, name="account"),
    path("account/keys/", views.api_keys, name="api_keys"),
    path("account/keys/<int:pk>/revoke", views.revoke_api_key, name="revoke_api_key"),
    path("media/<path:name>", views.media, name="media"),
]
