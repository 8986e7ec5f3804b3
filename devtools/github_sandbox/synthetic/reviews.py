"""Generated reviews: rounds of change requests and fixes, threads of comments, approvals, a dismissal now and then."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from devtools.github_sandbox.entities import Account, Review, ReviewComment, ReviewThread
from devtools.github_sandbox.ids import node_id
from devtools.github_sandbox.synthetic import text
from devtools.github_sandbox.synthetic.plan import HEAVY_ITEMS, HEAVY_THREAD_COMMENTS, iso

if TYPE_CHECKING:
    from devtools.github_sandbox.synthetic.pull import PullWriter


class ReviewWriter:
    def __init__(self, story: PullWriter) -> None:
        self.story = story
        self.random = story.random
        self.pull = story.pull
        self.generator = story.generator

    def write(self) -> None:
        plan, random = self.story.plan, self.random
        reviewed = plan.reviewed if plan.reviewed is not None else random.random() < 0.88 and not self.story.is_bump
        if not reviewed:
            return
        threads = plan.threads if plan.threads is not None else random.choice((0, 0, 0, 1, 1, 2, 3, 6))
        rounds = 1 if threads and random.random() < 0.5 else random.choices((0, 1, 2, 3), (60, 25, 10, 5))[0]
        self._rounds(rounds, threads)
        if plan.heavy:
            for _ in range(HEAVY_ITEMS):
                self._review("COMMENTED", self.story.clock.advance(0.05), self.story.reviewer())
        if self.pull.state == "MERGED" or random.random() < 0.3:
            self._approve()
        if not self.pull.reviews:
            self._review("COMMENTED", self.story.clock.advance(4), self.story.reviewer())
        self.pull.reviews.sort(key=lambda review: (review.submitted_at or "~", review.database_id))
        self._pending()

    def _rounds(self, rounds: int, threads: int) -> None:
        """Each round: a review with its share of the threads, then a fix."""
        reviewer = self.story.reviewer()
        shares = [threads // max(rounds, 1)] * rounds
        if shares:
            shares[0] += threads - sum(shares)
        elif threads:
            self._threads(self._review("COMMENTED", self.story.clock.advance(4), reviewer), threads)
        for share in shares:
            state = "CHANGES_REQUESTED" if self.random.random() < 0.75 else "COMMENTED"
            review = self._review(state, self.story.clock.advance(5), reviewer)
            self._threads(review, share)
            self._fix()

    def _fix(self) -> None:
        pull, clock = self.pull, self.story.clock
        moment, before = clock.advance(6), pull.head_ref_oid
        if self.random.random() < 0.3:
            dropped = pull.commits.pop()
            self.story.commit(datetime.fromisoformat(moment), dropped.message)
            self.story.event(
                "HeadRefForcePushedEvent",
                "head_ref_force_pushed",
                pull.author,
                moment,
                before_oid=before,
                after_oid=pull.head_ref_oid,
            )
        else:
            self.story.commit(datetime.fromisoformat(moment), self.random.choice(text.COMMITS))

    def _approve(self) -> None:
        clock, random, pull = self.story.clock, self.random, self.pull
        review = self._review("APPROVED", clock.advance(5), self.story.reviewer())
        if random.random() < 0.05:
            review.state = "DISMISSED"
            moment = review.updated_at = clock.advance(1)
            self.story.event(
                "ReviewDismissedEvent",
                "review_dismissed",
                pull.author,
                moment,
                previous_review_state="APPROVED",
                dismissal_message="The branch changed.",
                review=review,
            )
            self._review("APPROVED", clock.advance(1), self.story.reviewer())

    def _pending(self) -> None:
        """A review that its author has not sent yet; nobody else may see it."""
        writer = self.generator.reader
        if self.pull.state == "OPEN" and writer is not None and self.random.random() < 0.2:
            review = self._review("PENDING", iso(self.story.clock.moment), writer)
            review.submitted_at = None

    def _review(self, state: str, moment: str, author: Account | None) -> Review:
        pull, random = self.pull, self.random
        if random.random() < 0.01 and state != "PENDING":
            author = None
        number, node = self.generator.new("PRR")
        body, association = random.choice(text.VERDICTS), "MEMBER" if author else "NONE"
        review = Review(number, node, author, state, body, moment, moment, moment, pull, association, pull.head_ref_oid)
        pull.reviews.append(review)
        self.generator.keep(review)
        return review

    def _threads(self, review: Review, count: int) -> None:
        for index in range(count):
            long = self.story.plan.long_thread and index == 0 and not self.pull.threads
            self._thread(review, HEAVY_THREAD_COMMENTS if long else self.random.choice((1, 1, 2, 2, 3, 4)))

    def _thread(self, review: Review, comments: int) -> None:
        pull, random, generator = self.pull, self.random, self.generator
        path = random.choice(pull.files).path if pull.files else "README.md"
        line = random.randint(1, 400)
        number, _ = generator.new("PRRT")
        node = node_id("PRRT", pull.repository.database_id, number)
        thread = ReviewThread(node, pull, path, line, original_line=line, is_outdated=random.random() < 0.3)
        for index in range(comments):
            self._comment(thread, review, index)
        if random.random() < 0.7:
            thread.is_resolved, thread.resolved_by = True, pull.author or review.author
        pull.threads.append(thread)
        generator.keep(thread)

    def _comment(self, thread: ReviewThread, review: Review, index: int) -> None:
        random, pull = self.random, self.pull
        number, node = self.generator.new("PRRC")
        author = review.author if index % 2 == 0 else pull.author
        body = random.choice(text.REPLIES if index % 2 else text.REMARKS)
        moment = review.created_at
        comment = ReviewComment(
            database_id=number,
            id=node,
            author=author,
            body=body,
            created_at=moment,
            updated_at=moment,
            thread=thread,
            path=thread.path,
            author_association="MEMBER",
            line=None if thread.is_outdated else thread.line,
            original_line=thread.original_line,
            diff_hunk="@@ -1,3 +1,4 @@",
            commit_oid=pull.head_ref_oid,
            original_commit_oid=pull.head_ref_oid,
            review=review,
            review_database_id=review.database_id,
            reply_to=thread.comments[0] if index else None,
        )
        thread.comments.append(comment)
        review.comments.append(comment)
        self.generator.keep(comment)
