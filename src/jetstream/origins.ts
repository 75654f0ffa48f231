/** Sources of a stream, as the server tells them apart. */
import type { FieldChange } from "./diff.ts";

export interface Origin {
  readonly name: string;
  readonly filter_subject?: string;
  readonly subject_transforms?: readonly { readonly src?: string; readonly dest?: string }[];
  readonly external?: unknown;
}

/** What makes a source another one to the server (composeIName); where it starts is no part of that. */
const identity = ({ name, filter_subject, subject_transforms, external }: Origin): string =>
  JSON.stringify([name, filter_subject, subject_transforms, external]);

/** Sources that the server takes for new ones: each is copied from its first message, whatever was copied before. */
export function freshSources({ from, to }: FieldChange): Origin[] {
  const before = new Set(((from ?? []) as Origin[]).map(identity));
  return ((to ?? []) as Origin[]).filter((source) => !before.has(identity(source)));
}
