/** What a rule is: one thing that a user's edit can break, found before the cluster finds it. */

export type Severity = "error" | "warning";

/** One place where a rule is broken. */
export interface Finding {
  /** For example `streams/iot.ts: circl_iot.subjects[0]`. */
  readonly place: string;
  /** What is there, with its values. */
  readonly says: string;
  /** The way out here. @default the rule's hint */
  readonly hint?: string;
  /** The server's err_code, where it refuses exactly this. */
  readonly errCode?: number;
}

/** One of several things that a rule finds, for the list of rules. */
export interface RuleRow {
  /** For example `denyPurge with allowRollupHdrs`. */
  readonly what: string;
  readonly why: string;
  /** The server's err_code; absent where it takes the setting and then does something else. */
  readonly errCode?: number;
  /** First version that refuses it. @default 2.10, or whichever first knew the setting */
  readonly since?: string;
}

export interface Rule<Subject> {
  /** E environments, S streams, M manifests, P changes. Stable for ever: people write codes into runbooks. */
  readonly code: `${"E" | "S" | "M" | "P"}${number}`;
  /** error stops, warning is said. */
  readonly severity: Severity;
  readonly title: string;
  /** The outage or server fact behind it, with its source. */
  readonly reason: string;
  /** The way out. */
  readonly hint: string;
  /** What it finds, one by one, where that is a table. */
  readonly rows?: readonly RuleRow[];
  check(subject: Subject): Iterable<Finding>;
}

/** A finding with its rule: what users read. */
export interface Problem extends Required<Omit<Finding, "errCode">> {
  readonly code: string;
  readonly severity: Severity;
  readonly title: string;
  readonly reason: string;
}

/** Every problem that `rules` find, errors first, then by code and place. */
export function runRules<Subject>(rules: readonly Rule<Subject>[], subject: Subject): Problem[] {
  return sortProblems(rules.flatMap((rule) => [...rule.check(subject)].map((finding) => toProblem(rule, finding))));
}

export const toProblem = (rule: Omit<Rule<never>, "check">, finding: Finding): Problem => ({
  code: rule.code,
  severity: rule.severity,
  title: rule.title,
  reason: rule.reason,
  hint: finding.hint ?? rule.hint,
  place: finding.place,
  says: finding.errCode ? `${finding.says} (${finding.errCode})` : finding.says,
});

export const sortProblems = <P extends Problem>(problems: readonly P[]): P[] =>
  [...problems].sort((a, b) => order(a.severity, b.severity) || order(a.code, b.code) || order(a.place, b.place));

/** By code unit: localeCompare follows the language of the machine, and loads its tables in 10 ms of every run. */
export const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
