/** What a definition asks of a server that is older than it: refused there (10025) or, before 2.12, dropped without a word. */
import { newerFields } from "../model/field-versions.ts";
import { newerFunction } from "../model/subject-transform.ts";
import type { Version } from "../model/version.ts";
import { type WireConfig, wireName } from "./desired.ts";
import type { Refusal } from "./refusals.ts";

const WAY_OUT = "Update the servers first, or leave it out; images.nats.tag says which version they should be.";

/**
 * By the version of a server that is there, whatever the environment says: an upgrade may still be on its way.
 * @param server how it is called
 */
export function tooNew(kind: "stream" | "consumer", config: WireConfig, version: Version, server: string): Refusal[] {
  const older = `${server} is ${version.major}.${version.minor}.${version.patch}`;
  const fields = newerFields(kind, (field) => config[wireName(field)], version).map(({ field, value, since }) => {
    const what = value === undefined ? "it" : `"${value}"`;
    return {
      field: wireName(field),
      errCode: 10025,
      says: `${what} exists since ${since}, and ${older}`,
      hint: WAY_OUT,
    };
  });
  const mappings = kind === "stream" ? mappingsOf(config) : [];
  return [
    ...fields,
    ...mappings.flatMap(({ field, dest, errCode }) => {
      const says = newerFunction(dest, version, field === "republish");
      return says ? [{ field, errCode, says: `${says}, and ${older}`, hint: WAY_OUT }] : [];
    }),
  ];
}

interface Mapping {
  readonly field: string;
  readonly dest: string;
  readonly errCode: number;
}
interface Mapped {
  readonly dest?: string;
  readonly subject_transforms?: readonly { readonly dest?: string }[];
}

/** Where a stream maps subjects, and what the server answers when it cannot. */
function mappingsOf({ subject_transform, republish, sources = [], mirror }: WireConfig): Mapping[] {
  const one = (field: string, mapped: unknown, errCode: number) => ({ field, dest: (mapped as Mapped)?.dest, errCode });
  const of = (field: string, origins: readonly Mapped[], errCode: number) =>
    origins.flatMap(({ subject_transforms = [] }) => subject_transforms.map((mapped) => one(field, mapped, errCode)));
  return [
    one("subject_transform", subject_transform, 10156),
    one("republish", republish, 10052),
    ...of("sources", sources as readonly Mapped[], 10146),
    ...of("mirror", mirror ? [mirror as Mapped] : [], 10154),
  ].flatMap(({ dest, ...rest }) => (dest === undefined ? [] : [{ ...rest, dest }]));
}
