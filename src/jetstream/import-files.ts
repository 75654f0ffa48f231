/** Streams and consumers in JSON files: as the server takes them, or as `nats stream info --json` and its like print them. */
import type { WireConfig } from "./desired.ts";
import type { FoundStream } from "./import.ts";

/** Something that could not be imported, and why. */
export interface ImportProblem {
  /** The file, stream or consumer. */
  readonly name: string;
  readonly says: string;
}

export interface Found {
  readonly streams: readonly FoundStream[];
  readonly problems: readonly ImportProblem[];
}

type Consumer = { readonly file: string; readonly stream: string; readonly config: WireConfig };

/** Reads `{name, ...}`, `{config: {name, ...}}` and, for consumers, `{stream_name, config: {durable_name, ...}}`. */
export function findInFiles(files: readonly { readonly file: string; readonly text: string }[]): Found {
  const streams: WireConfig[] = [];
  const consumers: Consumer[] = [];
  const problems: ImportProblem[] = [];
  for (const { file, text } of files) {
    const document = parse(text);
    const { stream_name, config } = document ?? {};
    if (!document) problems.push({ name: file, says: "is no JSON object" });
    else if (typeof stream_name === "string" && isObject(config)) consumers.push({ file, stream: stream_name, config });
    else {
      const stream = isObject(config) ? config : document;
      if (typeof stream.name === "string" && !("durable_name" in stream)) streams.push(stream);
      else problems.push({ name: file, says: EXPECTED });
    }
  }
  const lost = consumers.filter(({ stream }) => !streams.some(({ name }) => name === stream));
  return {
    streams: streams.map((config) => ({
      config,
      consumers: consumers.filter(({ stream }) => stream === config.name).map((consumer) => consumer.config),
    })),
    problems: [
      ...problems,
      ...lost.map(({ file, stream }) => ({
        name: file,
        says: `is a consumer of ${stream}, but no file has that stream`,
      })),
    ],
  };
}

const EXPECTED =
  'is neither a stream ({"name": ...} or {"config": {"name": ...}}) nor a consumer ({"stream_name": ..., "config": ...})';

function parse(text: string): WireConfig | undefined {
  try {
    const document: unknown = JSON.parse(text);
    return isObject(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is WireConfig =>
  typeof value === "object" && value !== null && !Array.isArray(value);
