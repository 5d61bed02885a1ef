"""The admin pages of messaging, found by Django here; each package brings its own."""

import messaging.access.admin
import messaging.access.admin_audit_log
import messaging.access.admin_users
import messaging.accounts.admin
import messaging.conversations.admin
import messaging.conversations.admin_contacts
import messaging.incoming.admin
import messaging.media.admin
import messaging.messages.admin
import messaging.outgoing.holds.admin_holds
import messaging.outgoing.holds.admin_numbers
import messaging.subscriptions.admin
import messaging.template_management.admin  # noqa: F401
