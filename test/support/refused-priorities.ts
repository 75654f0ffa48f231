/** Priority groups and acknowledgements by flow control that a rule refuses, and the nearest ones that it does not. */
import type { StreamInput } from "../../src/model/stream.ts";
import { consumerWith, plain, type RefusedCase, row, whole } from "./refused-definitions.ts";

type Settings = Parameters<typeof consumerWith>[0];
const having = (consumer: Settings, stream: Partial<StreamInput> = {}): readonly StreamInput[] => [
  { ...plain, ...stream, consumers: [consumerWith(consumer)] },
];
const told = (code: string, at: string, what: string, says: string, fires: Settings, quiet: Settings): RefusedCase =>
  row(code, what, { fires: having(fires), at: `consumers[0] worker.${at}`, says, quiet: having(quiet) });

const overflow = { priorityPolicy: "overflow", priorityGroups: ["spare"] };
const pinned = { priorityPolicy: "pinned_client", priorityGroups: ["one"] };
/** -1: the worker of these tests has a maxDeliver. */
const flow = { ackPolicy: "flow_control", deliverSubject: "push.worker", maxDeliver: -1 };

export const REFUSED_PRIORITIES: readonly RefusedCase[] = [
  told(
    "S049",
    "priorityPolicy",
    "priorityPolicy without priorityGroups",
    "priorityPolicy without priorityGroups: a policy is about the requests of a group (10159)",
    { priorityPolicy: "prioritized" },
    { priorityPolicy: "prioritized", priorityGroups: ["any"] },
  ),
  told(
    "S049",
    "priorityGroups",
    "priorityGroups without priorityPolicy",
    "priorityGroups without priorityPolicy: nobody says whose requests come first (10196)",
    { priorityGroups: ["spare"] },
    overflow,
  ),
  told(
    "S049",
    "priorityTimeout",
    "priorityTimeout without priorityPolicy",
    "priorityTimeout without priorityPolicy: no client is pinned that could fall silent (10197)",
    { priorityTimeout: "10s" },
    { ...pinned, priorityTimeout: "10s" },
  ),
  {
    ...told(
      "S049",
      "priorityTimeout",
      "priorityTimeout without a pinned client",
      "priorityTimeout without a pinned client: the server takes it and does nothing with it",
      { ...overflow, priorityTimeout: "10s" },
      pinned,
    ),
    becomes: { priority_policy: "overflow" },
  },
  told(
    "S049",
    "priorityGroups",
    "a group whose name the server does not take",
    '"seventeen_letters": 1 to 16 letters, digits, and any of - _ / = (10162)',
    { ...overflow, priorityGroups: ["spare", "seventeen_letters"] },
    { ...overflow, priorityGroups: ["a/b_c=d-e", "sixteen_letters_"] },
  ),
  told(
    "S049",
    "priorityPolicy",
    "priorityPolicy of a push consumer",
    "priorityPolicy of a push consumer: nobody asks for messages, so nobody is served first (10178)",
    { ...overflow, deliverSubject: "push.worker" },
    overflow,
  ),
  {
    ...told(
      "S052",
      "ackPolicy",
      'ackPolicy "flow_control" before 2.14',
      'ackPolicy "flow_control" before 2.14: older servers do not know it (10025)',
      flow,
      { deliverSubject: "push.worker" },
    ),
    version: "2.12.15",
  },
  ...(
    [
      [
        "ackPolicy",
        'ackPolicy "flow_control" of a pull consumer',
        'ackPolicy "flow_control" of a pull consumer: the server asks only whom it pushes to (10218)',
        { ackPolicy: "flow_control", maxDeliver: -1 },
        flow,
      ],
      [
        "maxAckPending",
        'ackPolicy "flow_control" without a limit of maxAckPending',
        'ackPolicy "flow_control" without a limit of maxAckPending: the server asks when so many are unanswered (10220)',
        { ...flow, maxAckPending: -1 },
        { ...flow, maxAckPending: 50 },
      ],
      [
        "ackWait",
        'ackWait or backoff with ackPolicy "flow_control"',
        'ackWait or backoff with ackPolicy "flow_control": nothing is delivered again after a time (10221)',
        { ...flow, ackWait: "30s" },
        flow,
      ],
      [
        "maxDeliver",
        'maxDeliver with ackPolicy "flow_control"',
        'maxDeliver with ackPolicy "flow_control": nothing is delivered again (10222)',
        { ...flow, maxDeliver: 3 },
        flow,
      ],
    ] as const
  ).map(
    ([at, what, says, fires, quiet]): RefusedCase => ({
      ...told("S052", at, what, says, fires, quiet),
      since: "2.14",
    }),
  ),
  {
    ...told(
      "S052",
      "idleHeartbeat",
      'idleHeartbeat other than 1s with ackPolicy "flow_control"',
      "5s: the server makes it 1s without a word",
      { ...flow, idleHeartbeat: "5s" },
      { ...flow, idleHeartbeat: "1s", flowControl: true },
    ),
    becomes: { idle_heartbeat: 1e9, flow_control: true },
    since: "2.14",
  },
  whole("S062", "a work queue that is acknowledged by flow control", {
    fires: having({ ...flow, ackPolicy: "all", maxDeliver: 3 }, { retention: "workqueue" }),
    at: "consumers[0] worker",
    says: 'has ackPolicy "all" (10098)',
    quiet: having(flow, { retention: "workqueue" }),
    since: "2.14",
  }),
];
