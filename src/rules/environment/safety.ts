/** What must never be missing outside a throw-away cluster. */
import type { Model } from "../../model/resolve.ts";
import { inEnvironment } from "../place.ts";
import type { Rule } from "../rule.ts";

const tlsOff: Rule<Model> = {
  code: "E010",
  severity: "error",
  title: "TLS is off",
  reason:
    "Without TLS every password, position and order crosses the network in clear, and anybody who can open a connection can " +
    "join the cluster as a route.",
  hint: "Set nats.tls to true, or development to true if this really is a throw-away cluster.",
  *check(model) {
    const { nats, development } = model.environment;
    if (!nats.tls && !development) yield { place: inEnvironment(model, "nats.tls"), says: "is false" };
  },
};

const certificatesContradict: Rule<Model> = {
  code: "E011",
  severity: "error",
  title: "TLS and certificates contradict each other",
  reason:
    "Servers mount the certificate Secrets that somebody must issue; a pod whose Secret never comes stays pending for ever.",
  hint: 'nats.tls needs certificates "cert-manager"; without TLS certificates is "none".',
  *check(model) {
    const { nats, certificates } = model.environment;
    if (nats.tls !== (certificates === "cert-manager")) {
      yield { place: inEnvironment(model, "certificates"), says: `is "${certificates}" while nats.tls is ${nats.tls}` };
    }
  },
};

const handmadeSecrets: Rule<Model> = {
  code: "E012",
  severity: "error",
  title: "Secrets are made by hand",
  reason:
    "A Secret that somebody once created with kubectl has no owner, no rotation and no copy: it is lost with the cluster.",
  hint: 'Set secrets.store to "gcp-secret-manager", or development to true.',
  *check(model) {
    const { secrets, development } = model.environment;
    if (secrets.store === "kubectl" && !development) {
      yield { place: inEnvironment(model, "secrets.store"), says: 'is "kubectl"' };
    }
  },
};

const serverCount: Rule<Model> = {
  code: "E013",
  severity: "error",
  title: "A number of servers that gains nothing",
  reason:
    "A majority of 2 is 2 and of 4 is 3: an even number survives no more losses than one server less, and is more likely to lose " +
    "one. A single server is down at every update. More than five only slow the meta group.",
  hint: "Use 3 or 5 servers; 1 in development only.",
  *check(model) {
    const { nats, development } = model.environment;
    const fits = nats.servers === 3 || nats.servers === 5 || (nats.servers === 1 && development);
    if (!fits) yield { place: inEnvironment(model, "nats.servers"), says: `is ${nats.servers}` };
  },
};

const fewerZones: Rule<Model> = {
  code: "E014",
  severity: "error",
  title: "Fewer zones than servers",
  reason:
    "With one server per zone required, a server without a zone of its own stays pending; and with two of three servers in one zone " +
    "that zone's loss takes the quorum with it.",
  hint: 'Use a cluster with as many zones, or set kubernetes.zoneSpread to "preferred" and accept the second risk.',
  *check(model) {
    const { kubernetes, nats } = model.environment;
    if (kubernetes.zoneSpread === "required" && kubernetes.zones < Math.min(nats.servers, 3)) {
      yield {
        place: inEnvironment(model, "kubernetes.zones"),
        says: `is ${kubernetes.zones} for ${nats.servers} servers`,
      };
    }
  },
};

const wrongName: Rule<Model> = {
  code: "E015",
  severity: "error",
  title: "An environment under a name that is not its own",
  reason:
    "cluster.name, server_name and the ids of secrets are made of the name: two environments with one name share secrets, and a " +
    "server that comes back under another name loses its streams (nats-server#7418).",
  hint: "Let name be the key in environments/index.ts, and streamFigures the key of another environment.",
  *check(model) {
    const { name, streamFigures } = model.environment;
    const known = model.environmentNames;
    if (name !== model.key)
      yield { place: inEnvironment(model, "name"), says: `is "${name}" under the key "${model.key}"` };
    if (streamFigures !== undefined && !known.includes(streamFigures)) {
      yield {
        place: inEnvironment(model, "streamFigures"),
        says: `is "${streamFigures}", which is no environment (${known.join(", ")})`,
      };
    }
  },
};

export const safetyRules = [tlsOff, certificatesContradict, handmadeSecrets, serverCount, fewerZones, wrongName];
