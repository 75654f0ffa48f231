/** Tile38's configuration documents as templates of ExternalSecrets: everything but the password is in dist. */
import type { Model } from "../model/resolve.ts";
import { followerConfig, leaderConfig, type Tile38Config } from "./server-config.ts";

/** Key of the password in the templates. */
export const PASSWORD_KEY = "password";

/**
 * A password that no client could send, or that breaks the document, fails here and leaves the Secret as it was: the server
 * would read a broken document as far as it can and could start without any password.
 */
export const guardedPassword = (key: string): string =>
  `{{ if not (regexMatch \`^[!#-\\[\\]-~]+$\` .${key}) }}{{ fail "the password of Tile38 must be printable ASCII without white space, quote and backslash" }}{{ end }}`;

const STAND_IN = "<password>";

function template(config: (model: Model, password: string) => Tile38Config, model: Model): string {
  const document = JSON.stringify(config(model, STAND_IN)).replaceAll("{{", '{{ "{{" }}');
  return (
    guardedPassword(PASSWORD_KEY) + document.replaceAll(JSON.stringify(STAND_IN), `{{ .${PASSWORD_KEY} | toRawJson }}`)
  );
}

/** Renders to the same bytes as `JSON.stringify(leaderConfig(model, password))`. */
export const leaderTemplate = (model: Model): string => template(leaderConfig, model);
export const followerTemplate = (model: Model): string => template(followerConfig, model);
