/** Health as text and JSON. */
import pc from "picocolors";
import type { Fill, Health, LiveStream, StreamHealth } from "../../jetstream/status.ts";
import type { ConsumerHealth } from "../../jetstream/status-consumers.ts";
import { formatBytes, formatDuration } from "../../units.ts";
import { columns } from "./columns.ts";
import { markdownSection } from "./markdown.ts";
import { renderField } from "./plan.ts";
import { count } from "./problems.ts";
import type { Look } from "./terminal.ts";
import { visible } from "./visible.ts";

/** Where it points, one line per stream and consumer, what is wrong with them, and one line that counts. */
export function renderHealth(health: Health, { colours }: Look): string {
  const { environment, server, streams, consumers } = health;
  const where = server.cluster ? `cluster ${server.cluster}` : `standalone ${server.name}`;
  const problems = [...streams, ...consumers].flatMap(({ name, problems, differs = [] }) => [
    ...problems.map((says) => colours.red(visible(`! ${name} ${says}`))),
    ...differs.map((field) => visible(`    ${renderField(field)}`)),
  ]);
  return [
    colours.bold(visible(`${environment}: ${where} at ${server.url}, nats-server ${server.version}`)),
    "",
    ...table(STREAM_HEAD, streams.map(streamRow)),
    "",
    ...table(CONSUMER_HEAD, consumers.map(consumerRow)),
    "",
    ...problems,
    ...(problems.length > 0 ? [""] : []),
    summaryOf(health),
  ].join("\n");
}

const STREAM_HEAD = ["stream", "leader", "replicas", "messages", "bytes", "oldest", "keeps", "copies"];
const CONSUMER_HEAD = ["consumer", "pending", "unacknowledged", "redelivered", "waits"];

/** No rows, no head. */
const table = (head: readonly string[], rows: readonly string[][]): string[] =>
  rows.length > 0 ? columns([[" ", ...head], ...rows], "") : [];

const mark = ({ condition, problems }: StreamHealth | ConsumerHealth): string =>
  condition === "exists" && problems.length === 0 ? " " : "!";

function streamRow(stream: StreamHealth): string[] {
  const { name, condition, live } = stream;
  if (!live) return [mark(stream), name, condition];
  return [
    mark(stream),
    name,
    live.leader,
    replicas(live),
    fill(live.messages, String),
    fill(live.bytes, formatBytes),
    oldest(live),
    live.keeps === undefined ? "" : `about ${formatDuration(live.keeps)}`,
    live.sources.map((source) => `${source.name}: ${source.lag} behind`).join(", "),
  ];
}

function replicas({ replicas: { wanted, current, offline, lag } }: LiveStream): string {
  const gone = offline.length > 0 ? `, ${offline.length} offline` : "";
  return `${current}/${wanted}${gone}${lag > 0 ? `, ${lag} behind` : ""}`;
}

/** `12 (0%)`; no share where there is no limit. */
const fill = ({ amount, limit }: Fill, text: (amount: number) => string): string =>
  limit > 0 ? `${text(amount)} (${Math.floor((amount / limit) * 100)}%)` : text(amount);

const oldest = ({ oldest: age, endedBy }: LiveStream): string =>
  age === undefined ? "" : formatDuration(age) + (endedBy === "nothing" ? "" : `, ended by ${endedBy}`);

function consumerRow(consumer: ConsumerHealth): string[] {
  const { name, condition, live } = consumer;
  if (!live) return [mark(consumer), name, condition];
  const { pending, ackPending, redelivered, waits } = live;
  const wait = waits === undefined ? "" : `about ${formatDuration(waits)}`;
  return [mark(consumer), name, String(pending), String(ackPending), String(redelivered), wait];
}

/** `5 streams, 9 consumers: 1 problem. Undeclared: 1 stream, 2 consumers.` */
function summaryOf({ streams, consumers, undeclared, problems }: Health): string {
  const rest = [
    undeclared.streams > 0 ? count(undeclared.streams, "stream") : "",
    undeclared.consumers > 0 ? count(undeclared.consumers, "consumer") : "",
  ].filter((part) => part !== "");
  return (
    `${count(streams.length, "stream")}, ${count(consumers.length, "consumer")}: ${count(problems, "problem")}.` +
    (rest.length > 0 ? ` Undeclared: ${rest.join(", ")}.` : "")
  );
}

/** For a job's summary or a comment: the problems first, and all of it folded. */
export function statusMarkdown(health: Health): string {
  const [where = "", , ...rest] = renderHealth(health, { colours: pc.createColors(false), width: 110 }).split("\n");
  return markdownSection({
    marker: `status ${health.environment}`,
    title: `Status of ${where.replace(/:.*/, "")}: ${summaryOf(health)}`,
    body: [where, "", ...rest.slice(0, -1)].join("\n").trim(),
    label: "Status",
    open: health.problems > 0,
  });
}

/** Sizes in bytes, times in nanoseconds. */
export const statusJson = ({ problems, ...health }: Health) => ({
  formatVersion: 1,
  ...health,
  summary: { streams: health.streams.length, consumers: health.consumers.length, problems },
});
