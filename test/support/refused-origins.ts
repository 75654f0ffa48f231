/** Copies and transforms that a rule refuses, and the nearest ones that it does not. */
import type { StreamInput } from "../../src/model/stream.ts";
import { plain, type RefusedCase, row, whole } from "./refused-definitions.ts";

type Origin = NonNullable<StreamInput["mirror"]>;
const base: StreamInput = { ...plain, name: "origin", subjects: ["origin.>"] };
const copy: StreamInput = { name: "copy", maxBytes: "1MiB" };
const source = (change: Partial<Origin>): readonly StreamInput[] => [
  base,
  { ...copy, sources: [{ name: "origin", ...change }] },
];
const mirror = (change: Partial<Origin>, more: Partial<StreamInput> = {}): readonly StreamInput[] => [
  base,
  { ...copy, mirror: { name: "origin", ...change }, ...more },
];
const all = [{ src: "origin.>", dest: "copied.>" }];
const external = { api: "$JS.other.API", deliver: "from.other" };
const moved = (src: string, dest: string): readonly StreamInput[] => [
  { ...plain, subjects: ["plain.>"], subjectTransform: { src, dest } },
];

export const REFUSED_ORIGINS: readonly RefusedCase[] = [
  row("S028", "source with a name that no stream can have", {
    fires: source({ name: "a.b", external }),
    at: "sources[0].name",
    says: '"a.b": names have no white space and none of . * > / \\ (10141)',
    quiet: source({ name: "a_b", external }),
  }),
  row("S028", "mirror with a name that no stream can have", {
    fires: mirror({ name: "a.b" }),
    at: "mirror.name",
    says: '"a.b": names have no white space and none of . * > / \\ (10142)',
    quiet: mirror({}),
  }),
  row("S028", "source with filterSubject and subjectTransforms", {
    fires: source({ filterSubject: "origin.x", subjectTransforms: all }),
    at: "sources[0].filterSubject",
    says: "source with filterSubject and subjectTransforms: the source of a transform is a filter already (10144)",
    quiet: source({ subjectTransforms: all }),
  }),
  row("S028", "mirror with filterSubject and subjectTransforms", {
    fires: mirror({ filterSubject: "origin.x", subjectTransforms: all }),
    at: "mirror.filterSubject",
    says: "mirror with filterSubject and subjectTransforms: the source of a transform is a filter already (10150)",
    quiet: mirror({ subjectTransforms: all }),
  }),
  row("S028", "source with transforms of which one covers another", {
    fires: source({ subjectTransforms: [...all, { src: "origin.x", dest: "x" }] }),
    at: "sources[0].subjectTransforms",
    says: '"origin.>" and "origin.x": a message would be copied twice (10147)',
    quiet: source({
      subjectTransforms: [
        { src: "origin.x.*", dest: "x" },
        { src: "origin.*.x", dest: "y" },
      ],
    }),
  }),
  row("S028", "mirror with transforms that overlap", {
    fires: mirror({
      subjectTransforms: [
        { src: "origin.x.*", dest: "x" },
        { src: "origin.*.x", dest: "y" },
      ],
    }),
    at: "mirror.subjectTransforms",
    says: '"origin.x.*" and "origin.*.x": a message would be copied twice (10152)',
    quiet: mirror({
      subjectTransforms: [
        { src: "origin.x", dest: "x" },
        { src: "origin.y", dest: "y" },
      ],
    }),
  }),
  row("S028", "source twice, with the same filter and transforms", {
    fires: [base, { ...copy, sources: [{ name: "origin" }, { name: "origin", optStartSeq: 5 }] }],
    at: "sources[1].name",
    says: '"origin" is there twice: where they start does not make them two (10140)',
    quiet: [
      base,
      { ...copy, sources: ["x", "y"].map((token) => ({ name: "origin", filterSubject: `origin.${token}` })) },
    ],
  }),
  row("S028", "external.api that is no subject, or has a wildcard", {
    fires: source({ name: "orders", external: { api: "$JS.*.API" } }),
    at: "sources[0].external.api",
    says: '"$JS.*.API": requests are published below it (10052)',
    quiet: source({ name: "orders", external: { api: "$JS.x.API" } }),
  }),
  row("S028", "external.api of $JS.API", {
    fires: mirror({ external: { api: "$JS.API" } }),
    at: "mirror.external.api",
    says: "external.api of $JS.API: that is this account itself (10021)",
    quiet: mirror({ external: { api: "$JS.API.x" } }),
  }),
  row("S028", "external.deliver that is no subject, or has a wildcard", {
    fires: source({ name: "orders", external: { ...external, deliver: "from.*" } }),
    at: "sources[0].external.deliver",
    says: '"from.*": messages are delivered below it (10024)',
    quiet: source({ name: "orders", external }),
  }),
  row("S028", "external.deliver within the subjects of another origin", {
    fires: [
      base,
      {
        ...copy,
        sources: [{ name: "origin" }, { name: "orders", external: { ...external, deliver: "origin.other" } }],
      },
    ],
    at: "sources[1].external.deliver",
    says: '"origin.other" in "origin.>": what is delivered there would be stored by that origin as well (10022)',
    quiet: [base, { ...copy, sources: [{ name: "origin" }, { name: "orders", external }] }],
  }),
  row("S028", "optStartTime that is no point in time", {
    fires: source({ optStartTime: "2026-02-30T00:00:00Z" }),
    at: "sources[0].optStartTime",
    says: '"2026-02-30T00:00:00Z": the server reads RFC 3339, for example "2026-01-02T03:04:05Z" (10025)',
    quiet: source({ optStartTime: "2026-02-28T00:00:00.5+01:00" }),
  }),
  row("S028", "optStartTime beside optStartSeq", {
    fires: mirror({ optStartTime: "2026-02-28T00:00:00Z", optStartSeq: 5 }),
    at: "mirror.optStartTime",
    says: "optStartTime beside optStartSeq: the server starts at the sequence and ignores the time",
    quiet: mirror({ optStartTime: "2026-02-28T00:00:00Z" }),
    becomes: {},
  }),
  row("S028", "mirrorDirect other than the origin's allowDirect", {
    fires: mirror({}, { mirrorDirect: true }),
    at: "mirror.name",
    says: "true for false: the server sets it to what the origin has, without a word",
    quiet: [
      { ...base, allowDirect: true },
      { ...copy, mirror: { name: "origin" }, mirrorDirect: true },
    ],
    becomes: { mirror_direct: false },
  }),
  whole("S015", "a mirror with a filter that matches nothing", {
    fires: mirror({ filterSubject: "plain.x" }),
    at: "mirror.filterSubject",
    says: '"plain.x" matches nothing in origin (origin.>)',
    quiet: mirror({ filterSubject: "origin.x" }),
    becomes: {},
  }),
  whole("S015", "a source with a transform that matches nothing", {
    fires: source({ subjectTransforms: [{ src: "plain.x", dest: "x" }] }),
    at: "sources[0].subjectTransforms[0].src",
    says: '"plain.x" matches nothing in origin (origin.>)',
    quiet: source({ subjectTransforms: [{ src: "origin.x", dest: "x" }] }),
    becomes: {},
  }),
  whole("S015", "a transform of subjects that the stream does not hold", {
    fires: moved("elsewhere.*", "moved.{{wildcard(1)}}"),
    at: "subjectTransform.src",
    says: '"elsewhere.*" matches nothing in plain (plain.>, moved.*)',
    quiet: moved("plain.*", "moved.{{wildcard(1)}}"),
    becomes: {},
  }),
  whole("S015", "a republish of subjects that the stream does not hold", {
    fires: [{ ...plain, republish: { src: "elsewhere.x", dest: "again.x" } }],
    at: "republish.src",
    says: '"elsewhere.x" matches nothing in plain (plain.>)',
    quiet: [{ ...plain, republish: { src: "plain.x", dest: "again.x" } }],
    becomes: {},
  }),
  row("S016", "subjectTransform.src", {
    fires: moved("plain..x", "moved"),
    at: "subjectTransform.src",
    says: '"plain..x" has an empty token (a leading, trailing or double ".") (10155)',
    quiet: moved("plain.x", "moved"),
  }),
  row("S016", "subjectTransform.dest", {
    fires: moved("plain.*", "moved.{{wildcard(2)}}"),
    at: "subjectTransform.dest",
    says: '"{{wildcard(2)}}" numbers a wildcard, but the source has only 1 (10156)',
    quiet: moved("plain.*", "moved.{{wildcard(1)}}"),
  }),
  row("S016", "sources[].subjectTransforms[].src", {
    fires: source({ subjectTransforms: [{ src: "origin.", dest: "x" }] }),
    at: "sources[0].subjectTransforms[0].src",
    says: '"origin." has an empty token (a leading, trailing or double ".") (10145)',
    quiet: source({ subjectTransforms: [{ src: "origin.x", dest: "x" }] }),
  }),
  row("S016", "sources[].subjectTransforms[].dest", {
    fires: source({ subjectTransforms: [{ src: "origin.>", dest: "x" }] }),
    at: "sources[0].subjectTransforms[0].dest",
    says: '">" must end both or neither (10146)',
    quiet: source({ subjectTransforms: [{ src: "origin.>", dest: "x.>" }] }),
  }),
  row("S016", "mirror.subjectTransforms[].src", {
    fires: mirror({ subjectTransforms: [{ src: "origin.", dest: "x" }] }),
    at: "mirror.subjectTransforms[0].src",
    says: '"origin." has an empty token (a leading, trailing or double ".") (10151)',
    quiet: mirror({ subjectTransforms: [{ src: "origin.x", dest: "x" }] }),
  }),
  row("S016", "mirror.subjectTransforms[].dest", {
    fires: mirror({ subjectTransforms: [{ src: "origin.*", dest: "x.{{widlcard(1)}}" }] }),
    at: "mirror.subjectTransforms[0].dest",
    says: '"{{widlcard(1)}}" is no mapping function (10154)',
    quiet: mirror({ subjectTransforms: [{ src: "origin.*", dest: "x.$1" }] }),
  }),
  row("S016", "republish", {
    fires: [{ ...plain, republish: { src: "plain.*", dest: "again.*" } }],
    at: "republish.dest",
    says: '"again.*" has "*": write {{wildcard(1)}} for what the first "*" stands for (10052)',
    quiet: [{ ...plain, republish: { src: "plain.*", dest: "again.{{wildcard(1)}}" } }],
  }),
  row("S017", "into the stream's own subjects", {
    fires: [{ ...plain, republish: { src: "plain.x", dest: "plain.y" } }],
    at: "republish.dest",
    says: '"plain.y" comes back by "plain.>" (10052)',
    quiet: [{ ...plain, republish: { src: "plain.x", dest: "again.y" } }],
  }),
  row("S017", "into another stream, and from there back", {
    fires: [
      { ...base, republish: { src: ">", dest: "plain.>" } },
      { ...plain, republish: { src: "plain.x", dest: "origin.x" } },
    ],
    at: "republish.dest",
    says: '"origin.x" comes back by origin',
    quiet: [
      { ...base, republish: { src: "origin.x", dest: "plain.x" } },
      { ...plain, republish: { src: "plain.y", dest: "origin.y" } },
    ],
    becomes: {},
  }),
  whole("S017", "into a stream that copies, and from there back", {
    fires: [base, { ...copy, sources: [{ name: "origin" }], republish: { src: "origin.x", dest: "origin.x" } }],
    at: "republish.dest",
    says: '"origin.x" comes back by origin',
    quiet: [base, { ...copy, sources: [{ name: "origin" }], republish: { src: "origin.x", dest: "origin.y" } }],
    becomes: {},
  }),
  whole("S016", "a function that 2.12 does not know in transforms", {
    fires: moved("plain.*", "moved.{{left(1,2)}}"),
    at: "subjectTransform.dest",
    says: '"moved.{{left(1,2)}}" maps by "left", which exists since 2.14.7 (10156)',
    quiet: [{ ...plain, republish: { src: "plain.*", dest: "moved.{{left(1,2)}}" } }],
    version: "2.12.15",
  }),
  whole("S016", "a transform on 2.10", {
    fires: moved("plain.*", "moved.{{wildcard(2)}}"),
    at: "subjectTransform.dest",
    says: '"{{wildcard(2)}}" numbers a wildcard, but the source has only 1 (10049)',
    quiet: moved("plain.*", "moved.{{wildcard(1)}}"),
    version: "2.10.29",
    unasked: "no server of that line is built here",
  }),
  whole("S017", "all of a stream on 2.10, which does not follow transforms", {
    fires: [{ ...plain, subjectTransform: { src: "plain.>", dest: "moved.>" }, republish: { src: ">", dest: ">" } }],
    at: "republish.dest",
    says: '">" comes back by "plain.>" (10052)',
    quiet: [{ ...plain, subjectTransform: { src: "plain.>", dest: "moved.>" }, republish: { src: ">", dest: "b.>" } }],
    version: "2.10.29",
    unasked: "no server of that line is built here",
  }),
  whole("S017", "all of a stream, under the subjects that its transform gives it", {
    fires: [{ ...plain, subjectTransform: { src: "plain.x", dest: "moved" }, republish: { src: ">", dest: ">" } }],
    at: "republish.dest",
    says: '">" comes back by "plain.>" (10052)',
    quiet: [{ ...plain, subjectTransform: { src: "plain.>", dest: "moved.>" }, republish: { src: ">", dest: ">" } }],
  }),
];
