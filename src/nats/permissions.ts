/** What each identity may publish and hear, subject by subject, with the reason. Derived from the model and nothing else. */
import { type Identity, inboxPrefix, MONITOR, STREAM_PLAN } from "../model/identity.ts";
import type { Model } from "../model/resolve.ts";
import { type Consumer, STREAM_SYNC, type Stream } from "../model/stream.ts";
import { monitorGrants, PLAN_GRANTS, roleGrants, SYNC_GRANTS } from "./roles.ts";

export interface Grant {
  readonly subject: string;
  /** Sentences such as "publishes to circl_oms (streams/oms.ts)"; several uses may need one subject. */
  readonly why: readonly string[];
}

/** A list without grants is a refusal of everything, never the server's default of allowing everything. */
export interface Permissions {
  readonly publish: readonly Grant[];
  readonly subscribe: readonly Grant[];
}

/** One subject for one reason. */
export interface Need {
  readonly to: "publish" | "subscribe";
  readonly subject: string;
  readonly why: string;
}

/** Grants sorted by subject. They hold on nats-server 2.12 to 2.15, with either form of acknowledgement (js_ack_fc_v2). */
export function permissionsOf(identity: Identity, model: Model): Permissions {
  const needs: readonly Need[] = [
    { to: "subscribe", subject: `${inboxPrefix(identity, model)}.>`, why: "answers to its own requests" },
    ...model.streams.flatMap((stream) => streamNeeds(identity.name, stream)),
    ...(identity.kind === "tool" ? (TOOL_GRANTS[identity.name]?.(model) ?? []) : []),
    ...(identity.role ? roleGrants(identity.role, model) : []),
  ];
  return { publish: grants(needs, "publish"), subscribe: grants(needs, "subscribe") };
}

const TOOL_GRANTS: Readonly<Record<string, (model: Model) => readonly Need[]>> = {
  [STREAM_SYNC]: () => SYNC_GRANTS,
  [STREAM_PLAN]: () => PLAN_GRANTS,
  [MONITOR]: monitorGrants,
};

function streamNeeds(name: string, stream: Stream): Need[] {
  const publishes = stream.publishers
    .filter(({ service }) => service === name)
    .map(({ subject, deadLettersOf }) =>
      deadLettersOf
        ? may("publish", subject, `dead letters of ${deadLettersOf} (${stream.file})`)
        : may("publish", subject, `publishes to ${stream.name} (${stream.file})`),
    );
  const consumes = stream.consumers.filter(({ service }) => service === name);
  return [
    ...publishes,
    ...consumes.flatMap((consumer) => consumerNeeds(consumer, stream)),
    ...(stream.kind && (publishes.length > 0 || stream.readers.includes(name)) ? bucketNeeds(stream) : []),
    ...(stream.kind === "object-store" && publishes.length > 0
      ? [may("publish", `$JS.API.STREAM.PURGE.${stream.name}`, `drops replaced objects of ${stream.name}`)]
      : []),
  ];
}

/** A consumer that exists: look at it, fetch or listen, acknowledge. It cannot be changed, nor any other be made. */
function consumerNeeds({ name, ackPolicy, deliverSubject, flowControl }: Consumer, stream: Stream): Need[] {
  const why = `durable ${name} on ${stream.name} (${stream.file})`;
  const acknowledges = ackPolicy === "explicit" || ackPolicy === "all";
  return [
    may("publish", `$JS.API.CONSUMER.INFO.${stream.name}.${name}`, why),
    deliverSubject === undefined
      ? may("publish", `$JS.API.CONSUMER.MSG.NEXT.${stream.name}.${name}`, why)
      : may("subscribe", deliverSubject, why),
    ...(acknowledges ? replies("ACK", `${stream.name}.${name}`, why) : []),
    ...(flowControl || ackPolicy === "flow_control" ? replies("FC", `${stream.name}.${name}`, why) : []),
  ];
}

/** With feature_flags { js_ack_fc_v2: true } domain and account come first; without, the server never uses that form. */
const replies = (kind: "ACK" | "FC", of: string, why: string): Need[] => [
  may("publish", `$JS.${kind}.${of}.>`, why),
  may("publish", `$JS.${kind}.*.*.${of}.>`, why),
];

/** Opening, reading and watching: clients watch through consumers that they make for the purpose and that end by themselves. */
function bucketNeeds({ name, file, kind }: Stream): Need[] {
  const why = `reads ${name} (${file})`;
  const requests = [
    // nats.js asks for the stream that an object's chunks lie in, even by the name of the store.
    ...(kind === "object-store" ? ["$JS.API.STREAM.NAMES"] : []),
    `$JS.API.STREAM.INFO.${name}`,
    `$JS.API.STREAM.MSG.GET.${name}`,
    `$JS.API.DIRECT.GET.${name}`,
    `$JS.API.DIRECT.GET.${name}.>`,
    `$JS.API.CONSUMER.CREATE.${name}`,
    `$JS.API.CONSUMER.CREATE.${name}.>`,
    `$JS.API.CONSUMER.DELETE.${name}.*`,
  ];
  return [...requests.map((subject) => may("publish", subject, why)), ...replies("FC", name, why)];
}

const may = (to: Need["to"], subject: string, why: string): Need => ({ to, subject, why });

function grants(needs: readonly Need[], to: Need["to"]): Grant[] {
  const reasons = new Map<string, Set<string>>();
  for (const need of needs) {
    if (need.to === to) reasons.set(need.subject, (reasons.get(need.subject) ?? new Set()).add(need.why));
  }
  return [...reasons]
    .map(([subject, why]) => ({ subject, why: [...why] }))
    .sort((a, b) => (a.subject < b.subject ? -1 : 1));
}
