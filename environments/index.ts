import { base } from "./base.ts";
import { local } from "./local.ts";
import { production } from "./production.ts";
import { staging } from "./staging.ts";

/** Every environment as its layers: what all share first, what differs last. */
export const environments = {
  staging: [base, staging],
  production: [base, production],
  local: [base, local],
};
