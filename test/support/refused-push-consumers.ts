/** Push consumers that a rule refuses, and the nearest ones that it does not. */
import type { StreamInput } from "../../src/model/stream.ts";
import { consumerWith, plain, type RefusedCase, row, whole } from "./refused-definitions.ts";

type Settings = Parameters<typeof consumerWith>[0];
const having = (consumer: Settings, stream: Partial<StreamInput> = {}): readonly StreamInput[] => [
  { ...plain, ...stream, consumers: [consumerWith(consumer)] },
];
const pushed = { deliverSubject: "push.worker" } as const;

const refused = (
  at: string,
  what: string,
  says: string,
  fires: Settings,
  quiet: Settings,
  more: Partial<RefusedCase> = {},
): RefusedCase =>
  row("S048", what, { fires: having(fires), at: `consumers[0] worker.${at}`, says, quiet: having(quiet), ...more });

export const REFUSED_PUSH_CONSUMERS: readonly RefusedCase[] = [
  refused(
    "deliverSubject",
    "deliverSubject with a wildcard",
    '"push.*": a message goes to one subject (10079)',
    { deliverSubject: "push.*" },
    pushed,
  ),
  refused(
    "deliverSubject",
    "deliverSubject that is none",
    '"push..x" has an empty token (a leading, trailing or double "."): nobody could listen there (10112)',
    { deliverSubject: "push..x" },
    pushed,
  ),
  refused(
    "deliverSubject",
    "deliverSubject that the stream captures",
    '"plain.x" in "plain.>": what it delivers would be stored and delivered again (10081)',
    { deliverSubject: "plain.x" },
    pushed,
  ),
  refused(
    "deliverSubject",
    "deliverSubject that another stream captures",
    '"other.x" is captured by other: that stream stores every delivery, and its own answer takes the place of the reader\'s acknowledgement',
    {},
    {},
    {
      fires: [{ ...plain, name: "other", subjects: ["other.>"] }, ...having({ deliverSubject: "other.x" })],
      quiet: [{ ...plain, name: "other", subjects: ["other.>"] }, ...having(pushed)],
      becomes: {},
    },
  ),
  refused(
    "deliverSubject",
    "deliverSubject of another consumer as well",
    '"push.worker" of second: each reader gets the messages of both',
    {},
    {},
    {
      fires: [{ ...plain, consumers: ["worker", "second"].map((name) => consumerWith({ ...pushed, name })) }],
      quiet: [
        {
          ...plain,
          consumers: ["worker", "second"].map((name) => consumerWith({ name, deliverSubject: `push.${name}` })),
        },
      ],
      becomes: {},
    },
  ),
  refused(
    "maxWaiting",
    "maxWaiting of a push consumer",
    "maxWaiting of a push consumer: nobody asks for messages, so nobody waits (10080)",
    { ...pushed, maxWaiting: 5 },
    { maxWaiting: 5 },
  ),
  refused(
    "deliverSubject",
    "maxBatch, maxExpires or maxBytes of a push consumer",
    "maxBatch, maxExpires or maxBytes of a push consumer: the server takes it and does nothing with it: nobody asks for a batch",
    { ...pushed, maxBatch: 5 },
    { maxBatch: 5, maxExpires: "1s", maxBytes: "1KiB" },
    { becomes: { max_batch: 5 } },
  ),
  refused(
    "maxAckPending",
    'maxAckPending with ackPolicy "none", its own or the stream\'s',
    '5 with ackPolicy "none": nothing is acknowledged, so nothing is pending (10082)',
    { ...pushed, ackPolicy: "none", maxAckPending: 5 },
    { ...pushed, ackPolicy: "none" },
  ),
  refused(
    "idleHeartbeat",
    "idleHeartbeat below 100ms",
    "99ms: the server takes no shorter one (10083)",
    { ...pushed, idleHeartbeat: "99ms" },
    { ...pushed, idleHeartbeat: "100ms" },
  ),
  refused(
    "flowControl",
    "flowControl without idleHeartbeat",
    "flowControl without idleHeartbeat: a lost question for more would stop the flow for ever (10108)",
    { ...pushed, flowControl: true },
    { ...pushed, flowControl: true, idleHeartbeat: "1s" },
  ),
  refused(
    "idleHeartbeat",
    "idleHeartbeat of a pull consumer",
    "idleHeartbeat of a pull consumer: each request says for itself (10088)",
    { idleHeartbeat: "1s" },
    { ...pushed, idleHeartbeat: "1s" },
  ),
  refused(
    "flowControl",
    "flowControl of a pull consumer",
    "flowControl of a pull consumer: its readers ask for as much as they can take (10089)",
    { flowControl: true },
    { ...pushed, flowControl: true, idleHeartbeat: "1s" },
  ),
  refused(
    "rateLimitBps",
    "rateLimitBps of a pull consumer",
    "rateLimitBps of a pull consumer: its readers ask for as much as they can take (10086)",
    { rateLimitBps: 1_000 },
    { ...pushed, rateLimitBps: 1_000 },
  ),
  refused(
    "deliverGroup",
    "deliverGroup of a pull consumer",
    "deliverGroup of a pull consumer: the server takes it and does nothing with it: readers of a pull consumer share its messages anyway",
    { deliverGroup: "readers" },
    { ...pushed, deliverGroup: "readers" },
    { becomes: {} },
  ),
  whole("S062", "a work queue that is pushed without acknowledgements", {
    fires: having({ ...pushed, ackPolicy: "none" }, { retention: "workqueue" }),
    at: "consumers[0] worker",
    says: 'has ackPolicy "none" (10098)',
    quiet: having(pushed, { retention: "workqueue" }),
  }),
];
