/** What our tools and people may do. Services are not here: what they may follows from the streams. */
import { AUDIT_PREFIX, auditStreams } from "../model/audit.ts";
import type { Role } from "../model/environment.ts";
import type { Model } from "../model/resolve.ts";
import type { Need } from "./permissions.ts";

const api = (why: string, ...requests: readonly string[]): Need[] =>
  requests.map((request) => ({ to: "publish", subject: `$JS.API.${request}`, why }));
const hears = (why: string, ...subjects: readonly string[]): Need[] =>
  subjects.map((subject) => ({ to: "subscribe", subject, why }));

/** The verbs that src/jetstream reads with: configurations and states, never a payload. */
export const PLAN_GRANTS: readonly Need[] = [
  ...api(
    "reads streams and consumers",
    "INFO",
    "STREAM.NAMES",
    "STREAM.LIST",
    "STREAM.INFO.*",
    "CONSUMER.LIST.*",
    "CONSUMER.INFO.*.*",
  ),
  // Answered for the asker's own account: which server has how many of its connections.
  { to: "publish", subject: "$SYS.REQ.ACCOUNT.PING.STATZ", why: "asks which servers there are" },
];

/** What an apply writes. Streams that are no longer declared can be deleted, so names are left open; purges are not in it. */
export const SYNC_GRANTS: readonly Need[] = [
  ...PLAN_GRANTS,
  ...api("applies stream definitions", "STREAM.CREATE.*", "STREAM.UPDATE.*", "STREAM.DELETE.*"),
  ...api("applies consumer definitions", "CONSUMER.CREATE.*.*", "CONSUMER.CREATE.*.*.>", "CONSUMER.DELETE.*.*"),
  ...api("looks who holds the lock", "STREAM.MSG.GET.circl_lock"),
];

const NOTICES = hears("watches what the servers notice", "$JS.EVENT.ADVISORY.>", "$JS.EVENT.METRIC.>");
const LOGINS = hears("watches logins and refusals", `${AUDIT_PREFIX}.>`);

/** `circl audit` reads by direct gets: no consumer, and no trace in what it reads. */
const audit = (model: Pick<Model, "streams">): readonly Need[] =>
  auditStreams(model).flatMap(({ name }) => api("reads the audit", `DIRECT.GET.${name}`));

export const monitorGrants = (model: Pick<Model, "streams">): readonly Need[] => [
  ...PLAN_GRANTS,
  ...audit(model),
  ...NOTICES,
  ...LOGINS,
];

/** What a server tells about itself (events.go). RELOAD, KICK and LDM are left out: those are done where the pod is. */
const SERVER_ANSWERS = [
  "STATSZ",
  "VARZ",
  "CONNZ",
  "ROUTEZ",
  "SUBSZ",
  "ACCOUNTZ",
  "ACCSTATZ",
  "JSZ",
  "HEALTHZ",
  "IDZ",
  "RAFTZ",
  "IPQUEUESZ",
] as const;

/** @param model names the streams of dead letters and of the audit, which are the only messages that people read */
export function roleGrants(role: Role, model: Pick<Model, "streams">): readonly Need[] {
  const letters = model.streams.filter(({ publishers }) =>
    publishers.some(({ deadLettersOf }) => deadLettersOf !== undefined),
  );
  const look: readonly Need[] = [
    ...PLAN_GRANTS,
    ...api("lists consumers", "CONSUMER.NAMES.*"),
    ...letters.flatMap(({ name }) => api("reads dead letters", `STREAM.MSG.GET.${name}`)),
    ...audit(model),
    ...NOTICES,
    ...LOGINS,
  ];
  switch (role) {
    case "operator-read":
      return look;
    case "operator-streams":
      return [
        ...look,
        ...api("moves leaders", "STREAM.LEADER.STEPDOWN.*", "CONSUMER.LEADER.STEPDOWN.*.*"),
        ...api("pauses consumers", "CONSUMER.PAUSE.*.*"),
        ...letters.flatMap(({ name }) =>
          api("removes dead letters that are dealt with", `STREAM.MSG.DELETE.${name}`, `STREAM.PURGE.${name}`),
        ),
      ];
    case "operator-system":
      return [
        { to: "publish", subject: "$SYS.REQ.SERVER.PING", why: "asks servers about themselves" },
        // The server's id or PING, which all answer.
        ...SERVER_ANSWERS.map(
          (answer): Need => ({
            to: "publish",
            subject: `$SYS.REQ.SERVER.*.${answer}`,
            why: "asks servers about themselves",
          }),
        ),
        ...["CONNZ", "SUBSZ", "INFO", "JSZ", "STATZ"].map(
          (answer): Need => ({
            to: "publish",
            subject: `$SYS.REQ.ACCOUNT.*.${answer}`,
            why: "asks servers about accounts",
          }),
        ),
        ...api("moves the meta leader", "META.LEADER.STEPDOWN"),
        ...hears(
          "watches logins, refusals and servers that leave",
          "$SYS.ACCOUNT.*.CONNECT",
          "$SYS.ACCOUNT.*.DISCONNECT",
          "$SYS.SERVER.*.CLIENT.AUTH.ERR",
          "$SYS.SERVER.*.LAMEDUCK",
          "$SYS.SERVER.*.SHUTDOWN",
          "$SYS.SERVER.*.STATSZ",
        ),
      ];
  }
}
