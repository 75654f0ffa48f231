/** Subject transforms: whether the server can make one of a source and a destination (nats-server subject_transform.go). */
import { subjectFault } from "./subject.ts";
import { atLeast, type Version } from "./version.ts";

/** What is wrong with a transform, and with which end of it. */
export interface TransformFault {
  readonly end: "src" | "dest";
  readonly says: string;
}

/** Mapping functions: how many arguments, and which of them number a wildcard of the source (the first is 1). */
const FUNCTIONS: Readonly<Record<string, { readonly least: number; readonly most: number; readonly text?: true }>> = {
  wildcard: { least: 1, most: 1 },
  partition: { least: 1, most: Number.POSITIVE_INFINITY },
  random: { least: 1, most: 1 },
  split: { least: 2, most: 2, text: true },
  splitfromleft: { least: 2, most: 2 },
  splitfromright: { least: 2, most: 2 },
  slicefromleft: { least: 2, most: 2 },
  slicefromright: { least: 2, most: 2 },
  left: { least: 2, most: 2 },
  right: { least: 2, most: 2 },
};

/** First version that takes a function in a transform; before, it is unknown there. */
const SINCE: Readonly<Record<string, string>> = { random: "2.12", left: "2.14.7", right: "2.14.7" };
/** A republish is checked by another path of the server, which has always known these. */
const ALWAYS_REPUBLISHED = ["left", "right"];

/** Why `version` does not know a function of `dest`, or undefined. */
export function newerFunction(dest: string, version: Version, republished: boolean): string | undefined {
  const names = [...dest.matchAll(/\{\{\s*(\w+)\s*\(/g)].map(([, name = ""]) => name.toLowerCase());
  const newer = names.find((name) => {
    const since = republished && ALWAYS_REPUBLISHED.includes(name) ? undefined : SINCE[name];
    return since !== undefined && !atLeast(version, since);
  });
  return newer && `"${dest}" maps by "${newer}", which exists since ${SINCE[newer]}`;
}

/** Why the server refuses to map `src` to `dest`, or undefined. No source is ">". */
export function transformFault(src: string | undefined, dest: string): TransformFault | undefined {
  const source = src || ">";
  const bad = serverFault(source);
  if (bad) return { end: "src", says: `"${source}" ${bad}` };
  const says = destinationFault(source.split("."), dest);
  return says === undefined ? undefined : { end: "dest", says };
}

/** The server takes a wildcard inside a token for text, so that alone is no fault here. */
const serverFault = (subject: string): string | undefined => {
  const fault = subjectFault(subject);
  return fault?.startsWith("has a wildcard inside") ? undefined : fault;
};

function destinationFault(source: readonly string[], dest: string): string | undefined {
  const tokens = dest.split(".");
  if (tokens.includes("")) return `"${dest}" has an empty token`;
  if (tokens.slice(0, -1).includes(">")) return `"${dest}" has ">" before its last token`;
  if (tokens.includes("*")) return `"${dest}" has "*": write {{wildcard(1)}} for what the first "*" stands for`;
  if (tokens.includes(">") !== source.includes(">")) return '">" must end both or neither';
  const wildcards = source.filter((token) => token === "*").length;
  const literal = wildcards === 0 && !source.includes(">");
  for (const token of tokens) {
    const fault = tokenFault(token, wildcards, literal);
    if (fault) return `"${token}" ${fault}`;
  }
  return undefined;
}

function tokenFault(token: string, wildcards: number, literal: boolean): string | undefined {
  const none = `numbers a wildcard, but the source has ${wildcards === 0 ? "none" : `only ${wildcards}`}`;
  const [, dollar] = /^\$([+-]?\d+)$/.exec(token) ?? [];
  if (dollar !== undefined) return literal || Number(dollar) > wildcards ? none : undefined;
  if (token.length <= 4 || !token.startsWith("{{") || !token.endsWith("}}")) {
    return /\s/.test(token) ? "contains white space" : undefined;
  }
  const [, name = "", list = ""] = /\{\{\s*(\w+)\s*\((.*)\)\s*\}\}/.exec(token) ?? [];
  const kind = FUNCTIONS[name.toLowerCase()];
  if (!kind) return "is no mapping function";
  const args = list.split(/,\s*/);
  if (args.length < kind.least || args.length > kind.most) return `has ${args.length} arguments`;
  const numbers = kind.text ? args.slice(0, 1) : args;
  if (numbers.some((arg) => !/^ *[+-]?\d+ *$/.test(arg))) return "has an argument that is no number";
  if (kind.text && /[ .]/.test(args[1] ?? "")) return 'splits by a text with a space or "."';
  const lower = name.toLowerCase();
  if (lower === "random") return undefined;
  if (lower === "partition") return !literal && args.slice(1).some((arg) => Number(arg) > wildcards) ? none : undefined;
  return literal || Number(args[0]) > wildcards ? none : undefined;
}
