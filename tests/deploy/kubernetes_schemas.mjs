// Validates each object of the YAML on standard input against the schemas of Kubernetes' API and
// of the Prometheus operator. Node.js resolves the packages from where this file is.
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";

let checked = 0;
let wrong = 0;
for (const document of parseAllDocuments(readFileSync(0, "utf8"))) {
  const object = document.toJS();
  const packageName =
    object.apiVersion.startsWith("monitoring.coreos.com/") ? "@kubernetes-models/prometheus-operator" : "kubernetes-models";
  try {
    const models = await import(`${packageName}/${object.apiVersion}`);
    new models[object.kind](object).validate();
    ++checked;
  } catch (error) {
    ++wrong;
    console.error(`${object.kind} ${object.metadata?.name}: ${error.message}`);
  }
}
console.log(`${checked} objects are as their schemas want, ${wrong} are not`);
process.exit(wrong || !checked ? 1 : 0);
