/** Several Markdown reports as one comment on a pull request. */

/** GitHub refuses more; GitLab takes a million. What the pipeline adds needs a little of it. */
const LONGEST = 64_000;

/** By which a pipeline finds its comment of last time and replaces it. */
export const COMMENT_MARKER = "<!-- circl comment -->";

/** `reports` in their order below the marker. Where they are too long together, the longest are cut, and say so. */
export function joinReports(reports: readonly string[]): string {
  const told = reports.map((report) => report.trim()).filter((report) => report !== "");
  const room = LONGEST - COMMENT_MARKER.length - 2 * told.length;
  const limit = fairLimit(
    told.map(({ length }) => length),
    room,
  );
  return [COMMENT_MARKER, ...told.map((report) => cutReport(report, limit))].join("\n\n");
}

/** The length that all may have so that together they fit: what short ones leave is for the long ones. */
function fairLimit(lengths: readonly number[], room: number): number {
  let rest = room;
  const ascending = [...lengths].sort((a, b) => a - b);
  for (const [i, length] of ascending.entries()) {
    const share = Math.floor(rest / (ascending.length - i));
    if (length > share) return share;
    rest -= length;
  }
  return room;
}

const CUT = "... cut: the log of this run has the whole report";
/** Room for the note, a closing fence and a closing `</details>`. */
const ENDING = CUT.length + 24;

/** Whole lines only, and what they opened is closed: otherwise the reports behind it would be part of its code. */
function cutReport(report: string, limit: number): string {
  if (report.length <= limit) return report;
  const kept = report.slice(0, Math.max(0, limit - ENDING));
  const lines = kept.slice(0, kept.lastIndexOf("\n") + 1).trimEnd();
  const count = (pattern: RegExp): number => (lines.match(pattern) ?? []).length;
  const fenced = count(/^```/gm) % 2 === 1;
  const folded = count(/^<details\b/gm) > count(/^<\/details>/gm);
  return [lines, CUT, ...(fenced ? ["```"] : []), ...(folded ? ["</details>"] : [])].join("\n");
}
