/** What somebody reads who is called at night. */
import type { Model } from "../../model/resolve.ts";
import { inEnvironment } from "../place.ts";
import type { Rule } from "../rule.ts";

/** Names that lead nowhere by definition (RFC 2606, RFC 6761), and this machine. */
const NOWHERE = /(^|\.)(example(\.(com|net|org))?|invalid|test|localhost)$|^127\.|^\[?::1\]?$/;
/** What templates leave for somebody to fill in. */
const UNFILLED = /[<>{}$]|(^|[^a-z])(your|change[-_]?me|todo|fixme|xxx|placeholder)([^a-z]|$)/i;

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname : "");

const noRunbooks: Rule<Model> = {
  code: "E061",
  severity: "error",
  title: "Runbooks that nobody can open",
  reason:
    "Every alert links there, and nothing ever follows the link until somebody is called at night: an address out of a template is " +
    "noticed then.",
  hint: "Say where your people read docs/runbooks of their copy of this repository: the page of its branch, an internal site.",
  *check(model) {
    const { operator, runbooks } = model.environment.monitoring;
    if (operator === "none") return;
    if (hostOf(runbooks) === "" || NOWHERE.test(hostOf(runbooks)) || UNFILLED.test(runbooks)) {
      yield { place: inEnvironment(model, "monitoring.runbooks"), says: `is "${runbooks}"` };
    }
  },
};

export const monitoringRules = [noRunbooks];
