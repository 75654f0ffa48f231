/** Imported streams as a file for streams/: TypeScript as a person would write it and Biome would set it. */
import type { Imported } from "../../jetstream/import.ts";
import { defineConsumer, SERVER, type StreamInput } from "../../model/stream.ts";
import { visible } from "./visible.ts";

/** Text, or brackets with what is in them. */
type Code = string | { readonly open: string; readonly close: string; readonly items: readonly Item[] };
interface Item {
  /** `name: ` in objects. */
  readonly lead?: string;
  /** Lines above it. */
  readonly comments?: readonly string[];
  /** Absent where there are comments alone. */
  readonly code?: Code;
}

const WIDTH = 120;
/** Patterns that are listed for each stream; the rest is counted. */
const LISTED = 20;

/** A whole file. It compiles in streams/, and exports the streams in the order given. */
export function renderDefinitions(streams: readonly Imported[]): string {
  const names = variableNames(streams.map(({ definition, bucket }) => bucket?.input.bucket ?? String(definition.name)));
  const declarations = streams.map(
    (stream, i) => `const ${names[i]} = ${set(streamCode(stream), "", `const ${names[i]} = `.length)};\n`,
  );
  const body = [...declarations, `export const streams = [${names.join(", ")}];\n`].join("\n");
  const definitions = streams.map(({ definition }) => definition);
  // The type checker refuses what is imported and not used.
  const imports = {
    "../src/model/bucket.ts": ["defineBucket", "defineObjectStore"].filter((define) =>
      streams.some(({ bucket }) => bucket?.define === define),
    ),
    "../src/model/stream.ts": [
      ...(definitions.some(({ consumers = [] }) => consumers.some(hasHouseFields)) ? ["defineConsumer"] : []),
      ...(streams.some(({ bucket }) => !bucket) ? ["defineStream"] : []),
      ...(definitions.some(({ publishers = [] }) => publishers.some(({ service }) => service === SERVER))
        ? ["SERVER"]
        : []),
    ],
  };
  const lines = Object.entries(imports).flatMap(([file, used]) =>
    used.length > 0 ? [`import { ${used.join(", ")} } from "${file}";\n`] : [],
  );
  return lines.length > 0 ? `${lines.join("")}\n${body}` : body;
}

function streamCode({ definition, bucket, seen, unsaid, leftOut }: Imported): Code {
  const { publishers = [], consumers = [], ...figures } = { consumers: [], ...(bucket?.input ?? definition) };
  const notes = [
    ...unsaid.map(({ field, value }) => `On the server there is also ${field} ${JSON.stringify(value)}.`),
    ...leftOut
      .filter((consumer) => consumer.unsaid.length > 0)
      .map(({ name, unsaid }) => {
        const fields = unsaid.map(({ field, value }) => `${field} ${JSON.stringify(value)}`);
        return `Left out: the consumer ${name}, for its ${fields.join(", ")}.`;
      }),
  ];
  const items: Item[] = [
    ...objectItems(figures),
    ...(publishers.length > 0 ? [publishersItem(publishers, seen)] : []),
    ...(consumers.length > 0
      ? [{ lead: "consumers: ", code: { open: "[", close: "]", items: consumers.map(consumerItem) } }]
      : []),
    ...(notes.length > 0 ? [{ comments: notes }] : []),
  ];
  return { open: `${bucket?.define ?? "defineStream"}({`, close: "})", items };
}

type Publisher = NonNullable<StreamInput["publishers"]>[number];

function publishersItem(publishers: readonly Publisher[], seen: Imported["seen"]): Item {
  const width = seen[0] ? number(seen[0].messages).length : 0;
  const rest = seen.length - LISTED;
  return {
    lead: "publishers: ",
    comments: [
      "Say who publishes what, and what is in it. Messages here when this was imported:",
      ...seen.slice(0, LISTED).map(({ pattern, messages }) => `${number(messages).padStart(width)}  ${pattern}`),
      ...(rest > 0 ? [`and ${rest} quieter patterns`] : []),
    ],
    code: { open: "[", close: "]", items: publishers.map(publisherItem) },
  };
}

/** The server as a publisher goes by the name that stream files know it by. */
const publisherItem = (publisher: Publisher): Item => {
  const items = objectItems(publisher);
  const service = items.map((item) => (item.lead === "service: " ? { ...item, code: "SERVER" } : item));
  return { code: { open: "{", close: "}", items: publisher.service === SERVER ? service : items } };
};

/** The defaults of defineConsumer. */
const { name: _, service: __, ...HOUSE } = defineConsumer({ name: "", service: "" });

const hasHouseFields = (consumer: object): boolean => Object.keys(HOUSE).every((key) => key in consumer);

/** With defineConsumer where it can say it; a consumer that acknowledges nothing has no use for its defaults. */
function consumerItem(consumer: object): Item {
  if (!hasHouseFields(consumer)) return { code: codeOf(consumer) };
  const house = Object.entries(HOUSE);
  const own = Object.entries(consumer).filter(([key, value]) => !house.some((usual) => same(usual, [key, value])));
  return { code: { open: "defineConsumer({", close: "})", items: objectItems(Object.fromEntries(own)) } };
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const objectItems = (value: object): Item[] =>
  Object.entries(value).map(([key, inner]) => ({
    lead: `${/^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key)}: `,
    code: codeOf(inner),
  }));

function codeOf(value: unknown): Code {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number") return number(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return { open: "[", close: "]", items: value.map((inner) => ({ code: codeOf(inner) })) };
  return { open: "{", close: "}", items: objectItems(value) };
}

/** 1000000 -> "1_000_000". */
const number = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, "_");

/** In the quotes that need fewer escapes. Names come from a server: nothing in them may end the text that they stand in. */
function quoted(text: string): string {
  const double = visible(JSON.stringify(text));
  if (text.split('"').length <= text.split("'").length) return double;
  const inner = double
    .slice(1, -1)
    .replace(/\\(.)|'/g, (match, after) => (after === '"' ? after : after ? match : "\\'"));
  return `'${inner}'`;
}

/** On one line where it fits behind `column` characters, else item by item. */
function set(code: Code, indent: string, column: number): string {
  if (typeof code === "string") return code;
  const line = onOneLine(code);
  if (line !== undefined && column + line.length < WIDTH) return line;
  const inner = `${indent}  `;
  const lines = code.items.flatMap(({ lead = "", comments = [], code: content }) => [
    ...comments.map((comment) => `${inner}// ${visible(comment)}`),
    ...(content === undefined ? [] : [`${inner}${lead}${set(content, inner, inner.length + lead.length)},`]),
  ]);
  return [code.open, ...lines, `${indent}${code.close}`].join("\n");
}

/** Undefined for what is never on one line: streams, comments, and lists of several objects. */
function onOneLine(code: Code): string | undefined {
  if (typeof code === "string") return code;
  const { open, close, items } = code;
  const objects = items.filter(
    ({ code: item }) => typeof item === "object" && item.open === "{" && item.items.length > 1,
  );
  if (
    /^define(Stream|Bucket|ObjectStore)\(/.test(open) ||
    (open === "[" && items.length > 1 && objects.length === items.length)
  )
    return undefined;
  const parts = items.map(({ lead = "", comments, code: item = "" }) => {
    const text = comments ? undefined : onOneLine(item);
    return text === undefined ? undefined : lead + text;
  });
  if (parts.includes(undefined)) return undefined;
  const gap = open.endsWith("{") && parts.length > 0 ? " " : "";
  return `${open}${gap}${parts.join(", ")}${gap}${close}`;
}

/** circl_iot -> circlIot. Names that JavaScript or the file itself needs, and those that come twice, get a number. */
function variableNames(names: readonly string[]): string[] {
  const taken = new Set(["streams", "defineStream", "defineConsumer", "defineBucket", "defineObjectStore", "SERVER"]);
  return names.map((name) => {
    const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
    const joined = words.map((word, i) => (i === 0 ? lowerFirst(word) : upperFirst(word))).join("");
    const base = /^[a-z]/.test(joined) && !RESERVED.test(joined) ? joined : `stream${upperFirst(joined)}`;
    let free = base;
    for (let i = 2; taken.has(free); i++) free = `${base}${i}`;
    taken.add(free);
    return free;
  });
}

const lowerFirst = (word: string): string => word.charAt(0).toLowerCase() + word.slice(1);
const upperFirst = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
const RESERVED =
  /^(arguments|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|eval|export|extends|false|finally|for|function|if|implements|import|in|instanceof|interface|let|new|null|package|private|protected|public|return|static|super|switch|this|throw|true|try|typeof|var|void|while|with|yield)$/;
