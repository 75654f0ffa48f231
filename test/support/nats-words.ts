/** What a `nats` command of the runbooks asks the servers, and whether the person it is typed as may ask that. */
import { identities } from "../../src/model/identity.ts";
import type { Model } from "../../src/model/resolve.ts";
import { covers } from "../../src/model/subject.ts";
import { permissionsOf } from "../../src/nats/permissions.ts";

const every = (report: string) => [`$SYS.REQ.SERVER.PING.${report}`];

/** Subjects of each verb, with its first two arguments; `nats --trace` shows them. */
const REQUESTS: Readonly<Record<string, (first: string, second: string) => readonly string[]>> = {
  "stream ls": () => ["$JS.API.STREAM.LIST"],
  "stream report": () => ["$JS.API.STREAM.LIST"],
  "stream info": (stream) => [`$JS.API.STREAM.INFO.${stream}`],
  "stream subjects": (stream) => [`$JS.API.STREAM.INFO.${stream}`],
  "stream get": (stream) => [`$JS.API.STREAM.INFO.${stream}`, `$JS.API.STREAM.MSG.GET.${stream}`],
  "stream rmm": (stream) => [`$JS.API.STREAM.INFO.${stream}`, `$JS.API.STREAM.MSG.DELETE.${stream}`],
  "stream purge": (stream) => [`$JS.API.STREAM.INFO.${stream}`, `$JS.API.STREAM.PURGE.${stream}`],
  "stream view": (stream) => [`$JS.API.CONSUMER.CREATE.${stream}.x`],
  "stream cluster step-down": (stream) => [`$JS.API.STREAM.INFO.${stream}`, `$JS.API.STREAM.LEADER.STEPDOWN.${stream}`],
  "consumer ls": (stream) => [`$JS.API.CONSUMER.NAMES.${stream}`, `$JS.API.CONSUMER.LIST.${stream}`],
  "consumer report": (stream) => [`$JS.API.STREAM.INFO.${stream}`, `$JS.API.CONSUMER.LIST.${stream}`],
  "consumer info": (stream, name) => [`$JS.API.STREAM.INFO.${stream}`, `$JS.API.CONSUMER.INFO.${stream}.${name}`],
  "consumer resume": (stream, name) => [
    `$JS.API.CONSUMER.INFO.${stream}.${name}`,
    `$JS.API.CONSUMER.PAUSE.${stream}.${name}`,
  ],
  "server list": () => ["$SYS.REQ.SERVER.PING"],
  "server report jetstream": () => every("JSZ"),
  "server report connections": () => every("CONNZ"),
  "server report accounts": () => every("ACCOUNTZ"),
  "server report routes": () => every("ROUTEZ"),
  "server report health": () => every("HEALTHZ"),
  "server report mem": () => every("STATSZ"),
  "server cluster peer-remove": () => ["$JS.API.SERVER.REMOVE"],
};

/** What is wrong with the command, in words; nothing where the role of its context may do it. */
export function faultsOfNats(words: readonly string[], model: Model): string[] {
  const command = words.slice(1).join(" ");
  if (command.startsWith("context add ")) return faultsOfContext(words, model);
  const [, context = "", rest = ""] = /^--context (\S+) (.+)$/.exec(command) ?? [];
  const who = identities(model).find(({ name, role }) => name === context && role !== undefined);
  if (!who) return [`no person "${context}"`];
  const verb = Object.keys(REQUESTS).find((known) => rest === known || rest.startsWith(`${known} `));
  if (!verb) return [`nobody said what "${rest}" asks`];
  const [first = "", second = ""] = rest.slice(verb.length + 1).split(" ");
  const { publish } = permissionsOf(who, model);
  return (REQUESTS[verb]?.(first, second) ?? [])
    .filter((subject) => !publish.some((grant) => covers(grant.subject, subject)))
    .map((subject) => `${context} may not ask ${subject}`);
}

/** A context is that of a person, with an NKey, and with the inbox that this person alone may hear. */
function faultsOfContext(words: readonly string[], model: Model): string[] {
  const name = words[3] ?? "";
  const who = identities(model).find((identity) => identity.name === name && identity.role !== undefined);
  if (!who) return [`no person "${name}"`];
  const prefix = words[words.indexOf("--inbox-prefix") + 1];
  return [
    ...(words.includes("--nkey") && !words.includes("--user") ? [] : [`${name} logs in with an NKey`]),
    ...(permissionsOf(who, model).subscribe.some(({ subject }) => subject === `${prefix}.>`)
      ? []
      : [`${name} hears nothing at ${prefix}`]),
  ];
}
