/** What goes wrong between a GitOps controller and an environment. */
import type { Model } from "../../model/resolve.ts";
import { inEnvironment } from "../place.ts";
import type { Rule } from "../rule.ts";

const secretsByHand: Rule<Model> = {
  code: "E070",
  severity: "warning",
  title: "A controller that applies what waits for Secrets made by hand",
  reason:
    "Nothing in git makes these Secrets, so the first sync stops at pods that cannot start: Argo CD never gets beyond their wave, and " +
    "Flux reports a health check that timed out.",
  hint: 'Run `circl identity create` before the first sync, or use a secret store; delivery "kubectl" waits for nothing.',
  *check(model) {
    const { delivery, secrets } = model.environment;
    if (delivery !== "kubectl" && secrets.store === "kubectl") {
      yield { place: inEnvironment(model, "delivery"), says: `is "${delivery}" while secrets.store is "kubectl"` };
    }
  },
};

/** Argo CD writes its application's name there where it tracks by label, as it does by default before 3.0. */
const TRACKED = "app.kubernetes.io/instance";

const trackedLabel: Rule<Model> = {
  code: "E071",
  severity: "error",
  title: "A label that the controller writes over",
  reason:
    "Argo CD marks what it applies with the label app.kubernetes.io/instance. A Prometheus that selects monitors and rules by " +
    "that label finds none of them any more: no alert calls, and nothing says so.",
  hint: "Let Prometheus select by another label, or by none.",
  *check(model) {
    const { delivery, monitoring } = model.environment;
    const value = monitoring.selectorLabels[TRACKED];
    if (delivery === "argocd" && monitoring.operator !== "none" && value !== undefined) {
      yield {
        place: inEnvironment(model, "monitoring.selectorLabels"),
        says: `has ${TRACKED} "${value}" while delivery is "argocd"`,
      };
    }
  },
};

export const deliveryRules = [secretsByHand, trackedLabel];
