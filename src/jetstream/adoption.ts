/** Assets that others made and that are as streams/ says: all that an apply does is to mark them as ours. */
import { isDeepStrictEqual } from "node:util";
import type { Change } from "./diff.ts";

const OURS = "circl.dev/";
type Metadata = Readonly<Record<string, string>>;

/** Whether nothing changes but that our metadata is added. One that another environment has marked is no such asset. */
export function adopts(change: Change): boolean {
  if (change.action !== "update") return false;
  const [field, ...others] = change.fields;
  if (field?.field !== "metadata" || others.length > 0) return false;
  const [before, after] = [field.from ?? {}, field.to ?? {}] as [Metadata, Metadata];
  if (Object.keys(before).some((key) => key.startsWith(OURS))) return false;
  const kept = Object.fromEntries(Object.entries(after).filter(([key]) => !key.startsWith(OURS)));
  return isDeepStrictEqual(before, kept);
}
