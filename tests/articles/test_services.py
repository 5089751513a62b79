"""The services for articles, runs, texts and API keys, and what they refuse."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks
from redis import Redis

from agents.exceptions import FailureCode
from articles.exceptions import ArticleGone, EditConflict, InvalidState, LeaseLost
from articles.models import ApiKey, Article, Run, Source, Status
from articles.runs import lease
from articles.runs.event_log import ArticleTransaction, article_transaction
from articles.runs.journal import fail_run, refuse_if_deleted
from articles.runs.lease import renew_lease, worker_id
from articles.runs.recovery import requeue_lost, sweep
from articles.services import (
    BriefInput,
    cancel_run,
    change_brief,
    delete_article,
    delete_articles,
    retry_run,
    save_text,
    start_run,
)
from tests.factories import (
    StaffFactory,
    UserFactory,
    claim,
    make_article,
    make_completed_article,
    make_processing_article,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return UserFactory.create()


def queued(redis: Redis) -> int:
    return int(redis.llen("rq:queue:articles"))


class TestCreating:
    def test_it_starts_a_run_and_enqueues_its_job_on_commit(
        self, owner: User, redis: Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            article = make_article(owner)
            assert queued(redis) == 0
        assert queued(redis) == 1
        assert article.status == Status.PENDING
        assert article.events.get().payload["new_status"] == "pending"

    def test_an_article_is_created_while_redis_is_unavailable(
        self,
        owner: User,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        monkeypatch.setitem(settings.RQ_QUEUES["articles"], "URL", "redis://127.0.0.1:9")
        with django_capture_on_commit_callbacks(execute=True):
            article = make_article(owner)
        assert article.status == Status.PENDING
        assert "sweeper will submit it" in caplog.text


class TestRuns:
    def test_a_second_active_run_is_refused(self, owner: User) -> None:
        with pytest.raises(InvalidState, match="being written"):
            start_run(article=make_article(owner), by=owner)

    def test_writing_again_creates_a_run(self, owner: User) -> None:
        article = make_completed_article(owner)
        start_run(article=article, by=owner)
        assert article.runs.count() == 2
        assert article.status == Status.PENDING
        assert article.content, "the text stays until the new one is there"

    def test_a_retry_continues_the_same_run(self, owner: User) -> None:
        article, held = make_processing_article(owner)
        fail_run(held, "The model was unavailable.", FailureCode.MODEL_UNAVAILABLE)
        run = retry_run(article=article, by=owner)
        assert run.pk == held.run_id
        assert (run.status, run.reason, run.attempts) == (Status.PENDING, "", 0)
        assert run.steps.done().count() == 4, "completed steps are kept"

    def test_a_retry_of_a_completed_run_is_refused(self, owner: User) -> None:
        with pytest.raises(InvalidState, match="failed, paused or cancelled"):
            retry_run(article=make_completed_article(owner), by=owner)

    def test_the_message_names_who_cancelled(self, owner: User) -> None:
        article, _ = make_processing_article(owner)
        cancel_run(article=article, by=owner)
        assert article.status == Status.CANCELLED
        assert article.message == f"Cancelled by {owner.username}"

    def test_cancelling_a_completed_run_is_refused(self, owner: User) -> None:
        with pytest.raises(InvalidState, match="nothing to cancel"):
            cancel_run(article=make_completed_article(owner), by=owner)


class TestDeleting:
    def test_its_files_are_deleted_too(
        self, owner: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        article = make_completed_article(owner)
        article.image, article.share_image, _ = pictures = [
            default_storage.save(f"covers/{article.pk}/{name}.png", ContentFile(b"x"))
            for name in ("whole", "card", "of an earlier run")
        ]
        article.save()
        upload = storages["uploads"].save("a.txt", ContentFile(b"x"))
        Source.objects.create(article=article, upload=upload)
        with django_capture_on_commit_callbacks(execute=True):
            delete_article(article=article, by=owner)
        assert not Article.objects.exists()
        assert [name for name in (*pictures, f"covers/{article.pk}") if default_storage.exists(name)] == []
        assert not storages["uploads"].exists(upload)

    def test_an_active_run_is_deleted_with_it(self, owner: User) -> None:
        article, held = make_processing_article(owner)
        delete_article(article=article, by=owner)
        assert not Run.objects.filter(pk=held.run_id).exists()

    def test_services_refuse_a_deleted_article(self, owner: User) -> None:
        article = make_completed_article(owner)
        Article.objects.get(pk=article.pk).delete()
        services = (delete_article, cancel_run, retry_run, start_run)
        for service in services:
            with pytest.raises(ArticleGone, match="was deleted"):
                service(article=article, by=owner)
        with pytest.raises(ArticleGone):
            save_text(article=article, by=owner, title="New", content="Words.", opened_at=1)
        with pytest.raises(ArticleGone):
            change_brief(article=article, brief=BriefInput(topic="Green roofs"))

    def test_an_article_that_is_already_deleted_does_not_stop_deleting_the_others(self, owner: User) -> None:
        gone, there = make_completed_article(owner), make_completed_article(owner)
        Article.objects.get(pk=gone.pk).delete()
        delete_articles(articles=[gone, there], by=owner)
        assert not Article.objects.exists()

    def test_an_article_deleted_right_after_the_change_is_reported(
        self, owner: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        article, _ = make_processing_article(owner)
        flush = ArticleTransaction.flush

        def flush_and_delete(tx: ArticleTransaction) -> None:
            flush(tx)
            Article.objects.filter(pk=article.pk).delete()

        monkeypatch.setattr(ArticleTransaction, "flush", flush_and_delete)
        with pytest.raises(ArticleGone):
            cancel_run(article=article, by=owner)

    def test_a_run_deleted_while_it_is_claimed_is_not_claimed(
        self, owner: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        article = make_article(owner)

        def delete_first(article_id: int) -> AbstractContextManager[ArticleTransaction]:
            Article.objects.filter(pk=article_id).delete()
            return article_transaction(article_id)

        monkeypatch.setattr(lease, "article_transaction", delete_first)
        assert lease.claim_run(article.runs.get().pk, worker="test", model="test-model") is None

    def test_an_image_of_a_deleted_article_is_not_stored(self, owner: User) -> None:
        article, held = make_processing_article(owner)
        Article.objects.get(pk=article.pk).delete()
        name = default_storage.save(f"covers/{article.pk}/late.png", ContentFile(b"x"))
        with pytest.raises(LeaseLost):
            refuse_if_deleted(held, name)
        assert not default_storage.exists(name)


class TestSweeping:
    def test_a_run_whose_worker_died_is_requeued(
        self, owner: User, redis: Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        article, held = make_processing_article(owner)
        assert sweep() == 0, "its lease has not expired"
        Run.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        with django_capture_on_commit_callbacks(execute=True):
            assert sweep() == 1
        article.refresh_from_db()
        assert article.status == Status.PENDING
        assert queued(redis) == 1
        again = claim(article)
        assert again.token != held.token
        assert again.run_id == held.run_id

    def test_leases_that_expired_during_an_outage_can_be_renewed(self, owner: User) -> None:
        _, held = make_processing_article(owner)
        Run.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        assert sweep(by_lease=False) == 0
        assert renew_lease(held), "its worker is still running"
        assert sweep() == 0

    def test_a_process_that_runs_here_has_four_leases_to_renew_one(self, owner: User) -> None:
        make_processing_article(owner)
        Run.objects.update(worker=worker_id(), lease_expires_at=timezone.now() - timedelta(seconds=40))
        assert sweep() == 0, "it may be slow"
        Run.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=46))
        assert sweep() == 1, "it hangs"

    def test_the_sweeper_ignores_a_lost_run_that_was_deleted(self, owner: User) -> None:
        article, held = make_processing_article(owner)
        Run.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        lost = Run.objects.get(pk=held.run_id)
        article.delete()
        assert not requeue_lost(lost, by_lease=True)

    def test_a_run_that_kills_its_workers_fails(self, owner: User) -> None:
        article, _ = make_processing_article(owner)
        Run.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1), attempts=3)
        assert sweep() == 1
        article.refresh_from_db()
        assert article.status == Status.FAILED
        assert "died 3 times" in article.message

    def test_a_run_whose_job_was_lost_is_submitted_again(
        self, owner: User, redis: Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        make_article(owner)
        Run.objects.update(enqueued_at=timezone.now() - timedelta(minutes=2))
        with django_capture_on_commit_callbacks(execute=True):
            assert sweep() == 1
            assert sweep() == 0, "it has just been submitted"
        assert queued(redis) == 1


class TestText:
    def test_each_save_creates_a_revision_and_an_event(self, owner: User) -> None:
        article = make_completed_article(owner)
        saved = save_text(article=article, by=owner, title="New", content="Three new words.", opened_at=1)
        assert (saved.number, saved.author) == (2, owner.username)
        assert (article.title, article.word_count) == ("New", 3)
        last = article.events.last()
        assert last is not None
        assert last.payload["number"] == 2

    def test_a_text_changed_by_another_user_is_not_overwritten(self, owner: User) -> None:
        article = make_completed_article(owner)
        save_text(
            article=article, by=UserFactory.create(username="ada"), title="Hers", content="Her words.", opened_at=1
        )
        with pytest.raises(EditConflict, match="ada saved revision 2"):
            save_text(article=article, by=owner, title="Mine", content="My words.", opened_at=1)
        article.refresh_from_db()
        assert article.title == "Hers"

    def test_the_text_cannot_be_edited_while_it_is_written(self, owner: User) -> None:
        article, _ = make_processing_article(owner)
        with pytest.raises(InvalidState, match="being written"):
            save_text(article=article, by=owner, title="T", content="C", opened_at=0)


class TestVisibility:
    def test_users_see_their_own_articles_and_staff_all(self, owner: User) -> None:
        from django.contrib.auth.models import AnonymousUser

        article = make_article(owner)
        assert list(Article.objects.visible_to(owner)) == [article]
        assert list(Article.objects.visible_to(StaffFactory.create())) == [article]
        assert not Article.objects.visible_to(UserFactory.create()).exists()
        assert not Article.objects.visible_to(UserFactory.create(is_staff=True)).exists(), (
            "staff without the permission"
        )
        assert not Article.objects.visible_to(AnonymousUser()).exists()
        assert not Article.objects.visible_to(StaffFactory.create(is_active=False)).exists()

    def test_search_finds_all_the_words(self, owner: User) -> None:
        article = make_article(owner, topic="Bees on flat roofs")
        assert list(Article.objects.search("roofs BEES")) == [article]
        assert not Article.objects.search("roofs bears").exists()
        assert Article.objects.search("\0").count() == 1


class TestApiKeys:
    def test_a_key_matches_until_it_is_revoked(self, owner: User) -> None:
        row, key = ApiKey.objects.issue(owner, "laptop")
        assert key not in row.key_hash
        assert str(row) == f"laptop ({key[:8]}…)"
        match = ApiKey.objects.match(key)
        assert match is not None
        assert match.user == owner
        assert match.last_used_at is None or match.last_used_at
        assert ApiKey.objects.get().last_used_at is not None
        ApiKey.objects.update(revoked_at=timezone.now())
        assert ApiKey.objects.match(key) is None

    def test_a_key_of_an_inactive_user_does_not_match(self, owner: User) -> None:
        _, key = ApiKey.objects.issue(owner, "laptop")
        User.objects.update(is_active=False)
        assert ApiKey.objects.match(key) is None

    def test_a_malformed_key_does_not_match(self) -> None:
        assert ApiKey.objects.match("\ud800\0") is None
