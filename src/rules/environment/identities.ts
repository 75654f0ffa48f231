/** Who logs in, and how. */
import { identities } from "../../model/identity.ts";
import type { Model } from "../../model/resolve.ts";
import { SERVER } from "../../model/stream.ts";
import { inEnvironment } from "../place.ts";
import type { Rule } from "../rule.ts";
import { nearest } from "../shape.ts";

const twice: Rule<Model> = {
  code: "E050",
  severity: "error",
  title: "One identity twice",
  reason:
    "Name, documents in the secret store and inbox are one: a service that is called like a tool or a person would log in as it, " +
    'with its rights added to its own. "nats-server" stands for what the servers publish themselves.',
  hint: "Rename the service in streams/services.ts, or the person in nats.people.",
  *check(model) {
    const all = identities(model);
    for (const { name, kind } of all) {
      const others = all.filter((other) => other.name === name && other.kind !== kind).map((other) => other.kind);
      if (name === SERVER) others.push("tool");
      const [other] = others;
      if (kind === "tool" || !other) continue;
      const place = kind === "service" ? `streams/services.ts: ${name}` : inEnvironment(model, `nats.people.${name}`);
      yield { place, says: `is the name of a ${other} as well` };
    }
  },
};

const badName: Rule<Model> = {
  code: "E051",
  severity: "error",
  title: "A service whose name is no identity",
  reason:
    "The name becomes a label, an inbox, ids in the secret store and keys of a template: what one of them refuses or spells " +
    "otherwise is found when the first client cannot log in.",
  hint: 'Use a-z, 0-9 and "-" (40 at most), beginning with a letter.',
  *check({ services }) {
    for (const { name } of services) {
      if (!/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/.test(name)) {
        yield { place: `streams/services.ts: ${name}`, says: `"${name}" has other characters or is too long` };
      }
    }
  },
};

const passwordOfNobody: Rule<Model> = {
  code: "E052",
  severity: "error",
  title: "A password for nobody",
  reason:
    "nats.clients.passwords names who has not moved to an NKey yet: misspelt, the client that still sends a password is locked out.",
  hint: "Name an identity of this environment (circl access lists them), or remove it.",
  *check(model) {
    const names = identities(model).map(({ name }) => name);
    for (const [i, name] of model.environment.nats.clients.passwords.entries()) {
      if (names.includes(name)) continue;
      const near = nearest(name, names);
      yield {
        place: inEnvironment(model, `nats.clients.passwords[${i}]`),
        says: `"${name}" is no identity`,
        ...(near ? { hint: `Did you mean "${near}"?` } : {}),
      };
    }
  },
};

const sharedInboxes: Rule<Model> = {
  code: "E053",
  severity: "warning",
  title: "Inboxes that whoever watches a bucket hears",
  reason:
    "Answers stay in the account of who asked, but what a watcher of a bucket hears comes from the account with the streams. Where inboxes " +
    "are shared that is all of _INBOX.> there: what others watch, and the answers to stream-sync.",
  hint: 'Let every client set its inbox prefix (nats.json of its Secret says which), then set nats.clients.inboxes to "private".',
  *check(model) {
    const { inboxes } = model.environment.nats.clients;
    if (inboxes !== "shared") return;
    const watched = model.streams.flatMap(({ name, kind, readers, publishers }) => {
      const who = [...new Set([...readers, ...publishers.map(({ service }) => service)])];
      return kind && who.length > 0 ? [`${name} is watched by ${who.join(", ")}`] : [];
    });
    if (watched.length === 0) return;
    yield { place: inEnvironment(model, "nats.clients.inboxes"), says: `is "shared", and ${watched.join("; ")}` };
  },
};

export const identityRules = [twice, badName, passwordOfNobody, sharedInboxes];
