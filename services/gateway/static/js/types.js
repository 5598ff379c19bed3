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
 * @property {{width: number, url: string}[]} smaller  Smaller versions, narrowest first.
 * @property {string | null} placeholder  A ThumbHash in base64.
 * @property {string | null} format
 * @property {number} width
 * @property {number} height
 * @property {number | null} bytes
 * @property {number | null} seconds
 * @property {string} filename
 *
 * @typedef {object} Generation  A generation, as the gallery shows it.
 * @property {string} id
 * @property {Kind} kind
 * @property {string} prompt
 * @property {{text: string, match: boolean}[] | null} segments  The prompt in pieces, where it was searched for.
 * @property {Status} status
 * @property {number} createdAt  Milliseconds.
 * @property {number | null} completedAt
 * @property {string | null} model
 * @property {string | null} size
 * @property {string | null} style
 * @property {string | null} quality
 * @property {string | null} format
 * @property {boolean} favourite
 * @property {string | null} parentId  What this one is an edit of.
 * @property {number | null} deletedAt
 * @property {boolean} fromBackend  A backend made it without being asked by us.
 * @property {MediaFile[]} files
 *
 * @typedef {object} Failure
 * @property {string} code
 * @property {"yes" | "no" | "unknown"} charged
 * @property {boolean} retryable
 * @property {string | null} [provider_words]
 * @property {string | null} [reason]
 * @property {Filtered | null} [filtered]
 *
 * @typedef {object} Filtered  What a content filter took.
 * @property {"input" | "output" | "partial"} stage
 * @property {"provider" | "policy"} by
 * @property {string[]} reasons  In the filter's own words.
 *
 * @typedef {object} Partial  Why fewer media came than were asked for.
 * @property {number} asked
 * @property {number} made
 * @property {{code: string, filtered?: Filtered}[]} missing
 *
 * @typedef {object} Job  A job that this page watches.
 * @property {string} id
 * @property {Kind} kind
 * @property {Status} status
 * @property {string | null} stage
 * @property {number} progress
 * @property {number} seq  Counts the job's moves; a lower one is old news.
 * @property {string | null} prompt  What was asked for; a stream does not say it.
 * @property {string | null} model
 * @property {string | null} message  The provider's own word on where it stands.
 * @property {string} preview  A first glimpse of it, or nothing.
 * @property {string | null} parentId
 * @property {number | null} position  Place in the queue, 1 is next.
 * @property {number | null} readyAt  When it will probably be done, in milliseconds.
 * @property {boolean} cancelling
 * @property {number} createdAt
 * @property {number | null} endedAt
 * @property {Failure | null} failure
 * @property {MediaFile[]} files
 *
 * @typedef {object} Ability  What a model does for one kind.
 * @property {Kind} kind
 * @property {string[]} sizes
 * @property {string[] | null} ratios
 * @property {string[]} formats
 * @property {number} max_count
 * @property {number[] | {least: number, most: number} | null} durations
 * @property {number[] | null} [tall_durations]  Of films of more than 720 lines, where they differ.
 *
 * @typedef {object} Model
 * @property {string} id
 * @property {string} provider
 * @property {Kind[]} kinds
 * @property {Kind[]} default_for
 * @property {boolean} input_image
 * @property {boolean} seed
 * @property {Ability[]} abilities
 * @property {boolean} [available]  Whether its work begins now; else it waits.
 * @property {{amount: string, unit: "medium" | "second" | "job", currency: string} | null} [price]
 * @property {string | null} [unavailable_reason]
 *
 * @typedef {Record<string, string | number>} RequestBody  What is posted to /api/<kinds>/generate.
 *
 * @typedef {object} Draft  What stands in the composer.
 * @property {Kind} kind
 * @property {string} prompt
 * @property {string} style
 * @property {string} quality
 * @property {Record<Kind, string>} model  "" for the default.
 * @property {Record<Kind, string>} size
 * @property {Record<Kind, string>} format
 * @property {Record<Kind, number>} count
 * @property {number} seconds
 * @property {string} input  The image to start from: an address, `upload:<id>`, or nothing.
 * @property {string} inputName  What an uploaded image was called.
 * @property {string} inputPicture  A small picture of it, as a data URL.
 * @property {{id: string, prompt: string} | null} parent  What this is an edit of.
 */
export {};
