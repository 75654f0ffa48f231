/** Whether a kubectl command speaks of what is in the manifests: kinds, names, containers, labels. */
import type { Manifest } from "../../src/rules/manifests/manifest.ts";

/** Short and plural names that the runbooks use. */
const KINDS: Readonly<Record<string, string>> = {
  ...{ pod: "Pod", pods: "Pod", pvc: "PersistentVolumeClaim", statefulset: "StatefulSet", cronjob: "CronJob" },
  ...{ service: "Service", secret: "Secret", networkpolicy: "NetworkPolicy", certificate: "Certificate" },
  ...{ issuer: "Issuer", certificaterequest: "CertificateRequest", events: "Event", jobs: "Job", job: "Job" },
  ...{ externalsecret: "ExternalSecret", secretstore: "SecretStore", pushsecret: "PushSecret" },
};
/** What nobody declares by name: it comes and goes by itself. */
const UNNAMED = ["Event", "Job", "CertificateRequest"];
/** Options that take a value of their own. */
const VALUED = ["-n", "-l", "-o", "-c", "-p"];
const VERBS = [
  "get",
  "describe",
  "logs",
  "exec",
  "top",
  "rollout",
  "create",
  "patch",
  "delete",
  "annotate",
  "scale",
  "port-forward",
];

/** Everything that can be named, by kind: also what controllers make of the manifests. */
function namesIn(objects: readonly Manifest[]): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>();
  const add = (kind: string, name: string) => names.set(kind, (names.get(kind) ?? new Set()).add(name));
  for (const { kind, metadata, spec } of objects) {
    add(kind, metadata.name);
    if (kind === "ExternalSecret") add("Secret", spec.target.name);
    if (kind === "Certificate") add("Secret", spec.secretName);
    if (kind !== "StatefulSet") continue;
    for (let i = 0; i < spec.replicas; i++) {
      add("Pod", `${metadata.name}-${i}`);
      for (const claim of spec.volumeClaimTemplates ?? []) {
        add("PersistentVolumeClaim", `${claim.metadata.name}-${metadata.name}-${i}`);
      }
    }
  }
  return names;
}

/** What is wrong with the command, in words; nothing where it fits `objects`. */
export function faultsOfKubectl(words: readonly string[], objects: readonly Manifest[]): string[] {
  const own = words.includes("--") ? words.slice(0, words.indexOf("--")) : words;
  const value = (option: string) => (own.includes(option) ? own[own.indexOf(option) + 1] : undefined);
  const plain = own.slice(1).filter((word, i, all) => !word.startsWith("-") && !VALUED.includes(all[i - 1] ?? ""));
  const [verb = "", ...rest] = plain;
  const names = namesIn(objects);
  const faults: string[] = [];
  if (!VERBS.includes(verb)) return [`no verb "${verb}"`];
  const namespace = objects.find(({ kind }) => kind === "Namespace")?.metadata.name;
  if (value("-n") !== namespace) faults.push(`not in the namespace ${namespace}`);
  const has = (kind: string, name: string) => {
    if (!UNNAMED.includes(kind) && !names.get(kind)?.has(name)) faults.push(`no ${kind} ${name}`);
  };
  for (const reference of [...rest, ...own.filter((word) => word.startsWith("--from=")).map((word) => word.slice(7))]) {
    const [type = "", name] = reference.split("/");
    if (name !== undefined) has(KINDS[type] ?? type, name);
  }
  if (["logs", "exec"].includes(verb) && rest[0]) has("Pod", rest[0]);
  if (["get", "describe", "top", "patch", "delete", "annotate"].includes(verb)) {
    const [type = "", ...named] = rest.filter((word) => !word.includes("="));
    const kind = KINDS[type.split("/")[0] ?? ""];
    if (!kind) faults.push(`no kind "${type}"`);
    else for (const name of type.includes("/") ? [] : named) has(kind, name);
  }
  const workloads = objects.filter(({ kind }) => kind === "StatefulSet" || kind === "CronJob");
  const templates = workloads.map(({ spec, metadata }) => ({
    name: metadata.name,
    template: spec.template ?? spec.jobTemplate.spec.template,
  }));
  const container = value("-c");
  if (container) {
    const of = templates.filter(({ name }) => rest[0]?.startsWith(`${name}-`));
    const containers = of.flatMap(({ template }) => template.spec.containers.map((one: { name: string }) => one.name));
    if (!containers.includes(container)) faults.push(`no container ${container} in ${rest[0]}`);
  }
  const label = value("-l");
  if (label) {
    const [key = "", wanted] = label.split("=");
    if (!templates.some(({ template }) => template.metadata.labels[key] === wanted))
      faults.push(`no pod with ${label}`);
  }
  return faults;
}
