/** Reading an OpenAPI 3.1 document: operations by tag, schemas as rows of fields, calls as lines for a shell. */

/**
 * @typedef {{name: string, type: string, required: boolean, description: string, facts: Fact[], choices: string[],
 *   fields: Field[]}} Field
 * @typedef {{words: string, values: string[]}} Fact  A dictionary key and what it counts.
 * @typedef {{id: string, method: string, path: string, tag: string, summary: string, description: string,
 *   parameters: Field[], body: any, answers: {status: string, description: string, media: string, fields: Field[]}[],
 *   call: string}} Operation
 */

const DEEPEST = 4;
const LINE = 60;
// What few readers come for stands last; the rest keeps the document's order.
const LAST = ["media", "webhooks", "probes"];
const METHODS = ["get", "post", "put", "patch", "delete"];

export class Reader {
  /** @param {any} document */
  constructor(document) {
    this.document = document;
  }

  /** @returns {{tag: string, operations: Operation[]}[]} */
  groups() {
    /** @type {Map<string, Operation[]>} */
    const groups = new Map();
    for (const [path, methods] of Object.entries(this.document.paths)) {
      for (const method of METHODS.filter((name) => name in methods)) {
        const operation = this.#operation(path, method, methods[method]);
        groups.set(operation.tag, [...(groups.get(operation.tag) ?? []), operation]);
      }
    }
    const place = (/** @type {string} */ tag) => (LAST.includes(tag) ? LAST.indexOf(tag) + 1 : 0);
    return [...groups].map(([tag, operations]) => ({ tag, operations })).sort((a, b) => place(a.tag) - place(b.tag));
  }

  /** @param {string} path @param {string} method @param {any} said @returns {Operation} */
  #operation(path, method, said) {
    const body = this.#content(said.requestBody);
    return {
      id: said.operationId ?? `${method}${path}`,
      method: method.toUpperCase(),
      path,
      tag: said.tags?.[0] ?? "",
      summary: said.summary ?? path,
      description: said.description ?? "",
      parameters: (said.parameters ?? []).map((/** @type {any} */ parameter) => ({
        ...this.#field(parameter.name, parameter.schema ?? {}, parameter.required ?? false, 0),
        description: parameter.description ?? "",
        facts: [{ words: `docs.in.${parameter.in}`, values: [] }],
      })),
      body: body && { ...body, fields: this.fields(body.schema) },
      answers: this.#answers(said.responses),
      call: this.#call(path, method, said, body),
    };
  }

  /** Answers that differ only in their number are said once. @param {any} responses */
  #answers(responses) {
    /** @type {Map<string, {status: string, description: string, media: string, fields: Field[]}>} */
    const answers = new Map();
    const sorted = Object.entries(responses).sort(([a], [b]) => a.localeCompare(b));
    for (const [status, response] of sorted) {
      const content = this.#content(response);
      const key = `${response.description} ${JSON.stringify(content?.schema ?? null)}`;
      const same = answers.get(key);
      if (same) same.status += `, ${status}`;
      else {
        const fields = content ? this.fields(content.schema) : [];
        answers.set(key, { status, description: response.description ?? "", media: content?.media ?? "", fields });
      }
    }
    return [...answers.values()];
  }

  /** @param {any} holder */
  #content(holder) {
    const [media, content] = Object.entries(holder?.content ?? {})[0] ?? [];
    return media ? { media, schema: content.schema ?? {}, example: content.example } : null;
  }

  /** Follow a reference. @param {any} schema */
  resolve(schema) {
    if (!schema?.$ref) return schema ?? {};
    const target = schema.$ref
      .split("/")
      .slice(1)
      .reduce((/** @type {any} */ at, /** @type {string} */ key) => at?.[key], this.document);
    return { ...target, ...schema, $ref: undefined };
  }

  /** The fields of an object, or of what a list holds. @param {any} given @returns {Field[]} */
  fields(given, depth = 0) {
    const schema = this.#notNull(this.resolve(given)).schema;
    if (schema.type === "array") return this.fields(schema.items, depth);
    if (depth > DEEPEST) return [];
    return Object.entries(schema.properties ?? {}).map(([name, property]) =>
      this.#field(name, property, (schema.required ?? []).includes(name), depth),
    );
  }

  /** What is meant besides null. @param {any} schema */
  #notNull(schema) {
    const options = schema.anyOf ?? schema.oneOf;
    if (!options) return { schema, nullable: false };
    const meant = options.filter((/** @type {any} */ option) => option.type !== "null");
    const { anyOf: _any, oneOf: _one, ...around } = schema;
    return { schema: { ...this.resolve(meant[0]), ...around }, nullable: meant.length < options.length };
  }

  /** @param {string} name @param {any} given @param {boolean} required @returns {Field} */
  #field(name, given, required, depth = 0) {
    const { schema, nullable } = this.#notNull(this.resolve(given));
    const list = schema.type === "array";
    const inner = list ? this.#notNull(this.resolve(schema.items ?? {})).schema : schema;
    return {
      name,
      type: [list ? "list" : "", inner.type ?? (inner.const !== undefined ? "constant" : "any"), nullable ? "null" : ""]
        .filter(Boolean)
        .join(" "),
      required,
      description: schema.description ?? "",
      facts: boundsOf(schema),
      choices: (inner.enum ?? []).map(String),
      fields: this.fields(schema, depth + 1),
    };
  }

  /** One line for a shell. @param {string} path @param {string} method @param {any} said @param {any} body */
  #call(path, method, said, body) {
    const address = path.replace(/\{(\w+)\}/g, (_, name) => `$${name.toUpperCase()}`);
    const streams = JSON.stringify(said.responses ?? {}).includes("text/event-stream");
    const way = [streams ? " -N" : "", method === "get" ? "" : ` -X ${method.toUpperCase()}`].join("");
    const parts = [`curl${way} "$SORAMI_URL${address}"`];
    if ((said.security ?? []).length) parts.push('-H "Authorization: Bearer $SORAMI_TOKEN"');
    for (const parameter of said.parameters ?? []) {
      if (parameter.name === "X-Webhook-Secret") parts.push(`-H "${parameter.name}: $WEBHOOK_SECRET"`);
    }
    if (body)
      parts.push(
        `-H "Content-Type: ${body.media}"`,
        `-d '${spread(this.#example(body)).replaceAll("'", "'\\''")}'`,
      );
    return parts.join(" \\\n  ");
  }

  /** The least a body needs. @param {any} body */
  #example(body) {
    if (body.example) return body.example;
    const schema = this.resolve(body.schema);
    const needed = Object.entries(schema.properties ?? {}).filter(([name]) => (schema.required ?? []).includes(name));
    return Object.fromEntries(needed.map(([name, property]) => [name, this.#sample(this.resolve(property))]));
  }

  /** @param {any} schema */
  #sample(schema) {
    if (schema.examples?.length) return schema.examples[0];
    if (schema.default !== undefined) return schema.default;
    if (schema.enum) return schema.enum[0];
    return (
      { string: "…", integer: schema.minimum ?? 1, number: schema.minimum ?? 1, boolean: true, array: [] }[
        String(schema.type)
      ] ?? {}
    );
  }
}

/** A body as it is read best: on one line while it is short. @param {any} body */
function spread(body) {
  const line = JSON.stringify(body);
  return line.length <= LINE ? line : JSON.stringify(body, null, 2).replaceAll("\n", "\n  ");
}

/** @param {any} schema @returns {Fact[]} */
function boundsOf(schema) {
  /** @type {Fact[]} */
  const facts = [];
  const { minimum, maximum, exclusiveMaximum, maxLength } = schema;
  if (schema.default !== undefined && schema.default !== null)
    facts.push(fact("default", JSON.stringify(schema.default)));
  if (minimum !== undefined && maximum !== undefined) facts.push(fact("from", minimum, maximum));
  else if (minimum !== undefined && minimum !== 0) facts.push(fact("least", minimum));
  else if (maximum !== undefined) facts.push(fact("most", maximum));
  if (exclusiveMaximum !== undefined) facts.push(fact("below", exclusiveMaximum));
  if (maxLength !== undefined) facts.push(fact("chars", maxLength));
  return facts;
}

/** @param {string} words @param {any[]} values */
const fact = (words, ...values) => ({ words: `docs.${words}`, values: values.map(String) });
