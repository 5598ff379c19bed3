"""Every stable code of a problem document: what it means and what to do. The page /problems lists them."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownProblem:
    """A code with the HTTP statuses it comes with; `<field>` in a code stands for the name of a field."""

    code: str
    statuses: tuple[int, ...]
    meaning: str
    remedy: str

    def matches(self, code: str) -> bool:
        pattern = re.escape(self.code).replace("<field>", r"[A-Za-z0-9_.]{1,100}")
        return re.fullmatch(pattern, code) is not None


def _problem(code: str, statuses: int | tuple[int, ...], meaning: str, remedy: str) -> KnownProblem:
    return KnownProblem(code, (statuses,) if isinstance(statuses, int) else statuses, meaning, remedy)


PROBLEMS: tuple[KnownProblem, ...] = (
    # who is calling
    _problem(
        "auth_missing", 401, "The request says not who is calling.", "Send `Authorization: Bearer <token or API key>`."
    ),
    _problem("token_invalid", 401, "The token could not be verified.", "Sign in again and send the new token."),
    _problem("token_expired", 401, "The token has expired.", "Get a fresh token."),
    _problem("token_not_yet_valid", 401, "The token is not valid yet.", "Check the clocks of both machines."),
    _problem(
        "token_issuer_unset",
        (401, 503),
        "This installation verifies no tokens.",
        "Set SORAMI_JWT_ISSUER (or CLERK_ISSUER), or use an API key.",
    ),
    _problem(
        "token_keys_unavailable",
        503,
        "The issuer's keys could not be fetched yet, so no token can be verified.",
        "Try again in a moment; check SORAMI_JWKS_URL if it lasts.",
    ),
    _problem("session_pending", 403, "The session has a task that is not done.", "Finish signing in at the provider."),
    _problem(
        "azp_not_allowed",
        401,
        "The token was issued for another application.",
        "Add the application's origin to SORAMI_JWT_AZP.",
    ),
    _problem("session_expired", 401, "The browser's session is over.", "Sign in again."),
    _problem(
        "user_unknown",
        401,
        "This user has not used the API yet.",
        "Call the gateway once, then come back.",
    ),
    _problem(
        "user_incomplete",
        401,
        "The database wants more of a user than the token says.",
        "Add the claim to the token, or make the user first.",
    ),
    _problem(
        "origin_not_allowed",
        403,
        "A page of another site tried to write with this browser's cookie.",
        "Call from the page itself, or use a bearer token.",
    ),
    _problem(
        "organization_incomplete",
        401,
        "The database wants more of an organisation or membership than the token says.",
        "Add the claim to the token, or make the organisation first.",
    ),
    _problem("key_invalid", 401, "The API key is not one of ours.", "Check that it was copied whole."),
    _problem("key_revoked", 401, "The API key was revoked.", "Make another key."),
    _problem("key_expired", 401, "The API key has expired.", "Make another key."),
    _problem("key_not_found", 404, "The caller has no key of this id.", "List the keys at /api/keys."),
    _problem("too_many_keys", 409, "There are as many keys as one may have.", "Revoke one that is not used."),
    _problem(
        "scopes_beyond_own",
        403,
        "The new key would be allowed what its maker is not.",
        "Leave out the scopes that `scopes` lists, or ask somebody who has them.",
    ),
    _problem(
        "key_signin_disabled",
        403,
        "People sign in at the identity provider here.",
        "Open /signin and sign in there.",
    ),
    _problem(
        "impersonation_read_only",
        403,
        "Whoever is signed in as another person may look and change nothing.",
        "Ask the person, or an operator to set SORAMI_ALLOW_IMPERSONATED_WRITES.",
    ),
    _problem("name_not_printable", 422, "The name holds a control character.", "Write it without."),
    _problem("scope_missing", 403, "The key has not the scope that this needs.", "Make a key with that scope."),
    _problem(
        "host_not_allowed",
        421,
        "This host name is not served here.",
        "Use the public address, or add the name to SORAMI_ALLOW_HOSTS.",
    ),
    # the form of a request
    _problem(
        "content_type_unsupported",
        415,
        "The body is not of a type this route reads.",
        "Send `Content-Type: application/json`.",
    ),
    _problem("content_encoding_unsupported", 415, "Compressed bodies are not read.", "Send the body as it is."),
    _problem("body_too_large", 413, "The body is larger than the route takes.", "Send less; `detail` has the limit."),
    _problem("body_timeout", 408, "The body did not come in time.", "Send it again, at once."),
    _problem("headers_too_large", 431, "Address and headers are too large.", "Send shorter ones."),
    _problem("body_not_object", 422, "The body is empty or no JSON object.", "Send a JSON object."),
    _problem("json_invalid", 400, "The body is not valid JSON in UTF-8.", "Send JSON; NaN and Infinity are not JSON."),
    _problem("json_duplicate_key", 400, "The body names a key twice.", "Name each key once."),
    _problem("unknown_field", 422, "The request has a field that does not exist.", "`field` names it; leave it out."),
    _problem("<field>_required", 422, "A field is missing.", "Send it."),
    _problem("<field>_repeated", 422, "A parameter is given more than once.", "Give it once."),
    _problem("<field>_empty", 422, "A field is empty.", "Send a value, or leave the field out."),
    _problem("<field>_too_long", 422, "A field is too long.", "Shorten it; `detail` has the limit."),
    _problem("<field>_out_of_range", 422, "A number is out of its range.", "`detail` has the range."),
    _problem("<field>_unsupported", 422, "A value is none of those that are known.", "`detail` lists them."),
    _problem("<field>_invalid", 422, "A field is not of its form.", "`detail` says the form."),
    _problem("<field>_not_unicode", 422, "A text holds half of a surrogate pair.", "Send well-formed Unicode."),
    _problem("<field>_control_character", 422, "A text holds a control character.", "Remove it."),
    _problem("not_an_integer", 422, "A field must be a whole number.", "Send a number without quotes or fraction."),
    _problem("not_a_number", 422, "A field must be a number.", "Send a number without quotes."),
    _problem("not_a_string", 422, "A field must be a string.", "Send it in quotes."),
    _problem("not_a_boolean", 422, "A field must be true or false.", "Send true or false without quotes."),
    _problem("not_a_list", 422, "A field must be a list.", "Send it in brackets."),
    _problem("not_an_object", 422, "A field must be an object.", "Send it in braces."),
    _problem("cursor_invalid", 400, "The cursor is not one that this list gave you.", "Start again without it."),
    _problem("limit_out_of_range", 422, "The page size is out of its range.", "Ask for 1 to 200."),
    _problem("not_found", 404, "There is nothing at this address.", "Check the address; /docs lists all routes."),
    _problem("method_not_allowed", 405, "The address does not take this method.", "`Allow` names those it takes."),
    _problem("http_error", (400, 404, 405), "The request was refused before it was read.", "Check its form."),
    # addresses that people give
    _problem("url_scheme", 422, "The address is neither https:// nor http://.", "Send a web address."),
    _problem("url_too_long", 422, "The address is longer than 2,048 characters.", "Upload the file instead."),
    _problem("url_malformed", 422, "The address is not well formed.", "Send it without user, password or spaces."),
    _problem("url_port", 422, "Only ports 80 and 443 are fetched.", "Serve the file on one of them, or upload it."),
    _problem(
        "url_forbidden_address",
        422,
        "The address does not lead to the public internet.",
        "Upload the file instead.",
    ),
    # jobs
    _problem(
        "job_not_found", 404, "There is no job of this id among yours.", "Check the id; others' jobs are not shown."
    ),
    _problem("job_id_taken", 409, "This job_id belongs to another request.", "Choose another, or leave it out."),
    _problem("job_not_finished", 409, "The job is not finished yet.", "Wait; `job_status` has its state."),
    _problem("job_has_no_result", 409, "The job ended without media.", "Read `failure` in its status."),
    _problem("job_already_finished", 409, "The job has ended.", "`job_status` says how; there is nothing to cancel."),
    _problem("job_not_ours", 409, "An application wrote this generation by itself.", "Cancel it there."),
    _problem("job_not_failed", 409, "Only a job that failed or was cancelled is retried.", "Ask for a new one."),
    _problem("parent_unknown", 422, "The parent is no generation of yours.", "Name one of yours, or leave it out."),
    _problem("user_id_unknown", 422, "The user to act for is nobody here.", "Name a user, or leave it out."),
    _problem("user_ids_differ", 422, "The requests of a batch name several owners.", "Send a batch for each."),
    _problem("batch_too_large", 422, "A batch has at most 100 jobs.", "Send several batches."),
    _problem("batch_not_found", 404, "There is no batch of this id among yours.", "Check the id."),
    _problem("batch_already_finished", 409, "Every job of the batch has ended.", "There is nothing to cancel."),
    _problem(
        "idempotency_key_invalid",
        400,
        "The Idempotency-Key is empty, too long, or not printable ASCII.",
        "Send 1 to 255 characters; a UUID does well.",
    ),
    _problem(
        "idempotency_key_reused",
        422,
        "The Idempotency-Key stands for another request.",
        "Send a new key for a new one.",
    ),
    _problem("rate_limited", 429, "More was asked for than a minute allows.", "Try again after `Retry-After` seconds."),
    _problem("quota_exceeded", 429, "Too many of your jobs are open.", "Wait until some have ended, or cancel them."),
    _problem("model_unknown", 422, "No model of this name renders this kind.", "`models` lists those that do."),
    _problem(
        "model_retired",
        422,
        "The model's provider has ended it.",
        "Name the model in `successor`, or one that /api/models lists.",
    ),
    _problem(
        "model_cannot",
        422,
        "The model cannot do what was asked.",
        "Name one of `models`, or change what `errors` lists; /api/models says what each can do.",
    ),
    _problem("media_not_found", 404, "There is no file at this address.", "Take the address from a result again."),
    # the gallery
    _problem("album_not_found", 404, "There is no album of this id among yours.", "Check the id."),
    _problem("notification_not_found", 404, "There is no notification of this id among yours.", "Check the id."),
    _problem("ids_contradict", 422, "An id is to be added and removed at once.", "Decide for one."),
    _problem("cover_not_in_album", 422, "The cover lies not in the album.", "Put it into the album first."),
    _problem("read_unclear", 422, "It is not clear what was read.", "Send either `all: true` or `ids`."),
    # shares
    _problem("share_not_found", 404, "There is no share of this id or address.", "Ask its owner for the link."),
    _problem("share_over", 410, "The link was revoked, has expired, or its subject is gone.", "Ask for another."),
    _problem("share_locked", 401, "The link wants a password.", "Send it to `/api/shared/<token>/unlock`."),
    _problem(
        "share_subject_unclear", 422, "It is not clear what to share.", "Name a generation or an album, not both."
    ),
    _problem("password_too_short", 422, "The password has fewer than 4 characters.", "Choose a longer one."),
    _problem("password_wrong", 403, "The password of the link is wrong.", "Ask its owner."),
    _problem("too_many_attempts", 429, "The password was tried too often.", "Wait `Retry-After` seconds."),
    _problem("media_unavailable", 503, "The file cannot be read now.", "Try again in a moment."),
    # media
    _problem("media_deleted", 410, "The file was deleted.", "Its owner can restore it while the window lasts."),
    _problem("generation_not_found", 404, "No generation of this id is yours.", "Check the id, and who is signed in."),
    _problem("generation_purged", 410, "The generation was removed for good.", "It cannot be brought back."),
    _problem("no_files", 409, "None of these generations has a file.", "Wait until they are finished."),
    _problem("ids_too_many", 422, "Too many ids in one request.", "Ask in several requests."),
    _problem("upload_not_found", 404, "No upload of this id is yours.", "Check the id, or begin the upload again."),
    _problem("upload_limit_reached", 429, "The day's uploads are used up.", "Come back after `Retry-After` seconds."),
    _problem(
        "upload_unfinished",
        (409, 422),
        "The bytes of the upload have not arrived.",
        "Send the form that POST /api/uploads answered, then try again.",
    ),
    _problem("upload_mismatch", 422, "What arrived is not what was announced.", "Begin the upload again."),
    _problem("upload_not_an_image", 422, "What arrived is no PNG, JPEG or WebP image.", "Upload one of these."),
    _problem("upload_unknown", 422, "`upload:<id>` names no upload of yours.", "List yours at GET /api/uploads."),
    _problem(
        "input_image_not_found",
        422,
        "The `/media/` address is no image of yours.",
        "Use an image that you made, or upload it.",
    ),
    _problem("content_type_not_allowed", 422, "Files of this type are not taken.", "`detail` lists those that are."),
    # events
    _problem("last_event_id_invalid", 400, "Last-Event-ID is not an id of a stream.", "Start again without it."),
    _problem("ticket_invalid", 401, "The stream ticket is unknown, used or over.", "Ask for another."),
    _problem("too_many_streams", 429, "One user has too many streams open.", "Close one; /api/events shows all."),
    _problem("streams_elsewhere", 503, "The notifier serves event streams.", "Route this path to it."),
    _problem("streams_unavailable", 503, "The notifier does not answer.", "Try again in a moment."),
    # webhook endpoints
    _problem("https_required", 422, "The address must start with https://.", "Serve the receiver by https."),
    _problem("endpoint_exists", 409, "There is an endpoint of this address among yours.", "Change that one."),
    _problem("too_many_endpoints", 409, "There may be 50 webhook endpoints.", "Delete one that is not used."),
    _problem("endpoint_not_found", 404, "No webhook endpoint of yours has this id.", "Check the id."),
    _problem("channel_not_found", 404, "No channel of yours has this id.", "Check the id."),
    _problem("url_option", 422, "The channel's address says something that it may not say.", "Leave the option out."),
    _problem("channels_unavailable", 422, "Channels are not installed here.", "Use a webhook, or ask the operator."),
    _problem("endpoint_without_address", 409, "The endpoint of jobs has no address.", "Name it in the job's request."),
    _problem("endpoint_disabled", 409, "The webhook endpoint is disabled.", "Enable it first."),
    _problem("delivery_not_found", 404, "The endpoint has no delivery of this id.", "Check the id."),
    _problem("event_type_unknown", 422, "A type of event is none of the known.", "`detail` lists them."),
    _problem("secret_weak", 422, "The secret is too short, not of its form, or known to all.", "Leave it out."),
    _problem("header_forbidden", 422, "A header is one the message itself is made of.", "Use another name."),
    _problem(
        "encryption_key_unset",
        503,
        "This installation has no key to seal secrets with.",
        "Set SORAMI_ENCRYPTION_KEYS.",
    ),
    _problem(
        "organization_admin_required",
        403,
        "Only an admin of the organisation may do this.",
        "Ask one of them, or do it for yourself alone.",
    ),
    # backends' webhooks
    _problem("webhook_secret_unset", 503, "No WEBHOOK_SECRET is configured.", "Set it on both sides."),
    _problem("webhook_signature_invalid", 401, "X-Webhook-Secret is missing or wrong.", "Send the shared secret."),
    _problem("status_unknown", 422, "The webhook's status is none of the known.", "Use the lower-case words."),
    _problem("job_id_mismatch", 409, "data.job_id differs from job_id.", "Send the same id in both."),
    # operating
    _problem("pause_target_unknown", 404, "There is nothing of this name to pause.", "`detail` says what there is."),
    _problem("pause_not_found", 404, "This is not paused.", "List what is at GET /api/admin/pauses."),
    _problem("reason_not_printable", 422, "The reason holds a control character.", "Write it without."),
    _problem("dead_letter_not_found", 404, "There is no dead letter of this id.", "List them first."),
    _problem("dead_letter_settled", 409, "It was replayed or discarded before.", "Nothing is left to do."),
    _problem("topic_gone", 409, "Nobody reads this topic any more.", "Discard the dead letter."),
    _problem("orphan_not_found", 404, "There is no parked report of this id.", "List them first."),
    _problem("orphan_settled", 409, "The report was assigned or discarded before.", "Nothing is left to do."),
    _problem("orphan_not_adoptable", 409, "A generation of this id ended otherwise meanwhile.", "Discard the report."),
    _problem("owner_unknown", 422, "Nobody of this id is known here.", "Let the person sign in once, then assign."),
    # our side
    _problem("overloaded", 503, "Too much is waiting.", "Try again after `Retry-After` seconds."),
    _problem("storage_unavailable", 503, "The database is not available.", "Try again in a moment."),
    _problem("internal", 500, "Something went wrong on our side.", "It was logged; try again or tell the operator."),
)


def find_problem(code: str) -> KnownProblem | None:
    """Return what is known of a code; one spelt out comes before one with `<field>` in it."""
    exact = (problem for problem in PROBLEMS if problem.code == code)
    return next(exact, None) or next((problem for problem in PROBLEMS if problem.matches(code)), None)
