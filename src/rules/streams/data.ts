/** What payloads hold, and how long they may live. */
import { heldData } from "../../model/personal-data.ts";
import type { Model } from "../../model/resolve.ts";
import { formatDuration } from "../../units.ts";
import { inStream } from "../place.ts";
import type { Rule } from "../rule.ts";

const unstated: Rule<Model> = {
  code: "S050",
  severity: "warning",
  title: "Data that nobody has described",
  reason:
    "Where nobody says what a payload holds, nobody can say how long it may be kept or who may read it: location data was once kept by accident.",
  hint: 'State sensitivity "internal" or "personal" (with purpose, fields and keepAtMost).',
  *check({ streams }) {
    for (const stream of streams) {
      for (const [i, { subject, data }] of stream.publishers.entries()) {
        if (data?.sensitivity === "unstated") {
          yield { place: inStream(stream, `publishers[${i}].data`), says: `of "${subject}" is unstated` };
        }
      }
    }
  },
};

const outlived: Rule<Model> = {
  code: "S051",
  severity: "error",
  title: "Personal data that outlives its purpose",
  reason:
    "A copied or dead-lettered message gets a new timestamp, so its payload lives for the sum of all maxAge on its way; a stream without " +
    "maxAge keeps it for ever.",
  hint: "Shorten maxAge along the way, or state a longer keepAtMost where the data is published, if its purpose allows that.",
  *check(model) {
    for (const stream of model.streams) {
      for (const { data, subject, path, lives } of heldData(stream, model)) {
        if (data.sensitivity === "personal" && lives > data.keepAtMost) {
          yield {
            place: inStream(stream, "maxAge"),
            says:
              `keeps "${subject}" for ${formatDuration(lives)} (${path.join(" + ")}), but it may be kept for ` +
              `${formatDuration(data.keepAtMost)}`,
          };
        }
      }
    }
  },
};

export const dataRules = [unstated, outlived];
