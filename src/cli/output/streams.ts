/** The streams of an environment as text: what they capture, what they keep in practice, who publishes and who reads. */
import { heldData } from "../../model/personal-data.ts";
import type { Model } from "../../model/resolve.ts";
import type { Consumer, Publisher, Stream, StreamOrigin } from "../../model/stream.ts";
import { effectiveRetention, flowsInto } from "../../model/traffic.ts";
import { formatBytes, formatDuration, formatRate } from "../../units.ts";
import { columns } from "./columns.ts";
import { count } from "./problems.ts";
import type { Look } from "./terminal.ts";

export function renderStreams(model: Model, look: Look): string {
  const consumers = model.streams.reduce((sum, stream) => sum + stream.consumers.length, 0);
  const head = `${model.environment.name}: ${count(model.streams.length, "stream")}, ${count(consumers, "consumer")}`;
  return [head, ...model.streams.map((stream) => renderStream(stream, model, look))].join("\n\n");
}

function renderStream(stream: Stream, model: Model, { colours }: Look): string {
  const facts = [
    ...(stream.subjects.length > 0 ? [["captures", stream.subjects.join(", ")]] : []),
    ...stream.sources.map((source) => ["copies", originText(source)]),
    ...(stream.mirror ? [["mirrors", originText(stream.mirror)]] : []),
    ["keeps", keeps(stream)],
    ["in practice", inPractice(stream, model)],
    ["stored", stored(stream)],
    ...personalData(stream, model).map((text) => ["personal data", text]),
    ...(stream.deadLetters ? [["dead letters", `to ${stream.deadLetters}`]] : []),
    ...(stream.readers.length > 0 ? [["read by", stream.readers.join(", ")]] : []),
  ];
  return [
    `${colours.bold(stream.name)} ${colours.dim(stream.file)}`,
    ...(stream.description ? [`  ${stream.description}`] : []),
    ...columns(facts, "  "),
    ...table("publishers", stream.publishers.map(publisherRow)),
    ...table("consumers", stream.consumers.map(consumerRow)),
  ].join("\n");
}

const table = (title: string, rows: readonly string[][]): string[] =>
  rows.length > 0 ? [`  ${title}`, ...columns(rows, "    ")] : [`  no ${title}`];

const originText = ({ name, filterSubject = ">" }: StreamOrigin): string => `${filterSubject} from ${name}`;

/** With what one replica means: a loss that nobody should learn of from an outage. */
function stored({ storage, replicas }: Stream): string {
  const where = `in ${storage}, ${count(replicas, "replica")}`;
  if (replicas > 1) return where;
  return storage === "file"
    ? `${where}: its server's volume is all there is of it, and without that server there is no stream`
    : `${where}: gone with every restart of its server`;
}

/** The limits as declared. */
function keeps(stream: Stream): string {
  const limits = [
    ...(stream.maxAge > 0 ? [formatDuration(stream.maxAge)] : []),
    ...(stream.maxMsgs >= 0 ? [`${stream.maxMsgs} messages`] : []),
    ...(stream.maxBytes >= 0 ? [formatBytes(stream.maxBytes)] : []),
  ];
  const each = stream.maxMsgSize >= 0 ? `, each message up to ${formatBytes(stream.maxMsgSize)}` : "";
  const full = stream.discard === "old" ? "the oldest gives way" : "publishers are refused when full";
  return `${limits.join(" or ") || "everything"}${each}; ${full}${retention[stream.retention]}`;
}

const retention = {
  limits: "",
  interest: "; kept until every consumer has acknowledged",
  workqueue: "; kept until a consumer has acknowledged",
} as const;

/** How long a message lives at the declared rates, and the limit that ends it. */
function inPractice(stream: Stream, model: Model): string {
  const flows = flowsInto(stream, model);
  const { lives, endedBy } = effectiveRetention(stream, flows);
  const ended = endedBy === "nothing" ? "for ever" : `${formatDuration(lives)}, ended by ${endedBy}`;
  if (flows.length === 0) return `${ended} (no rates declared)`;
  const rate = flows.reduce((sum, flow) => sum + flow.rate, 0);
  const volume = flows.reduce((sum, flow) => sum + flow.rate * flow.messageBytes, 0);
  return `${ended} (at the declared peak of ${formatRate(rate)}, ${formatBytes(volume)}/s)`;
}

function personalData(stream: Stream, model: Model): string[] {
  return heldData(stream, model).flatMap(({ subject, service, data, path, lives }) => {
    if (data.sensitivity !== "personal") return [];
    const way = path.length > 1 ? `, by way of ${path.slice(0, -1).join(", ")}` : "";
    const most = `${formatDuration(lives)} at most (declared ${formatDuration(data.keepAtMost)})`;
    return [`${subject} of ${service}${way}: lives ${most}`];
  });
}

const publisherRow = ({ service, subject, rate, size, data, deadLettersOf }: Publisher): string[] => [
  service,
  subject,
  rate === undefined ? "" : formatRate(rate),
  size === undefined ? "" : formatBytes(size),
  deadLettersOf ? `dead letters of ${deadLettersOf}` : (data?.sensitivity ?? ""),
];

const consumerRow = (consumer: Consumer): string[] => [
  consumer.name,
  consumer.service,
  consumer.filterSubject ?? consumer.filterSubjects?.join(", ") ?? ">",
  [
    `ack ${consumer.ackPolicy ?? "none"}`,
    ...(consumer.ackWait === undefined ? [] : [`within ${formatDuration(consumer.ackWait)}`]),
    ...(consumer.maxDeliver === undefined || consumer.maxDeliver < 0 ? [] : [`${consumer.maxDeliver} deliveries`]),
  ].join(", "),
];
