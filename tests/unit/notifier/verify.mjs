// Verifies messages (a JSON array on standard input) with the reference library and says of each whether it holds.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { Webhook } = createRequire(`${process.argv[2]}/`)("standardwebhooks");
const said = JSON.parse(readFileSync(0, "utf8")).map(({ secret, headers, body }) => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch (error) {
    return error.message;
  }
});
process.stdout.write(JSON.stringify(said));
