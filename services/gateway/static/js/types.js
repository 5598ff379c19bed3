/**
 * Shapes the page works with, for editors and type checks; nothing here runs.
 *
 * @typedef {"image" | "video"} Kind
 *
 * @typedef {"PENDING" | "GENERATING" | "COMPLETED" | "FAILED" | "CANCELLED"} Status
 *
 * @typedef {object} MediaFile  A finished file.
 * @property {string} id
 * @property {string} url
 * @property {string | null} poster  A still picture of a film.
 * @property {string | null} format
 * @property {number} width
 * @property {number} height
 * @property {number | null} bytes
 * @property {number | null} seconds
 * @property {string} filename
 * @property {string | null} description
 *
 * @typedef {object} Generation  A finished generation, as the gallery shows it.
 * @property {string} id
 * @property {Kind} kind
 * @property {string} prompt
 * @property {number} createdAt  Milliseconds.
 * @property {number | null} completedAt
 * @property {string | null} model
 * @property {string | null} size
 * @property {string | null} style
 * @property {string | null} quality
 * @property {boolean} fromBackend  A backend made it without being asked by us.
 * @property {MediaFile[]} files
 *
 * @typedef {object} Failure
 * @property {string} code
 * @property {"yes" | "no" | "unknown"} charged
 * @property {boolean} retryable
 * @property {string | null} [provider_words]
 * @property {string | null} [reason]
 *
 * @typedef {object} Job  A job that this page watches.
 * @property {string} id
 * @property {Kind} kind
 * @property {Status} status
 * @property {string | null} stage
 * @property {number} progress
 * @property {number} seq  Counts the job's moves; a lower one is old news.
 * @property {string | null} prompt What was asked for, when the snapshot told it.
 * @property {number} createdAt
 * @property {number | null} endedAt
 * @property {Failure | null} failure
 * @property {MediaFile[]} files
 *
 * @typedef {Record<string, string | number>} RequestBody  What is posted to /api/<kinds>/generate.
 *
 * @typedef {object} Asked  A request this browser sent: the server's stream says nothing of prompts.
 * @property {string} id
 * @property {Kind} kind
 * @property {RequestBody} body
 * @property {number} at
 *
 * @typedef {object} Draft  What stands in the composer.
 * @property {Kind} kind
 * @property {string} prompt
 * @property {string} style
 * @property {string} quality
 * @property {string} model
 * @property {Record<Kind, string>} size
 * @property {Record<Kind, number>} count
 * @property {number} seconds
 * @property {string} input  The address of an image to start from.
 */
export {};
