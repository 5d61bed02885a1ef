"""Records of deletion: the progress of retention, files to be removed from the storage, digests of wamids."""

from django.db import models
from django.utils import timezone


class RetentionProgress(models.Model):
    """How far one retention rule has come; it survives a killed process."""

    rule = models.CharField(max_length=40, primary_key=True)
    # The last key that the rule has looked at, as text; empty: at the beginning.
    position = models.CharField(max_length=40, blank=True)
    # When the rule began at the beginning, and when it looks for more.
    began_at = models.DateTimeField(default=timezone.now)
    next_at = models.DateTimeField(default=timezone.now)
    # Rows deleted, or emptied of their texts, since the installation.
    removed = models.BigIntegerField(default=0)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.rule


class FileRemoval(models.Model):
    """A file whose record is deleted, and which `deliver` removes from the storage."""

    name = models.CharField(max_length=100, primary_key=True)
    due_at = models.DateTimeField(default=timezone.now, db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return "file removal"


class ErasedWamid(models.Model):
    """A wamid of an erased person: its digest, so that a repeated webhook does not store the message again."""

    # The first half of SHA-256, as hex: a wamid contains the phone number.
    digest = models.CharField(max_length=32, primary_key=True)
    erased_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return "erased wamid"
