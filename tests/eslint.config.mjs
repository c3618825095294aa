// SPDX-License-Identifier: MIT
// eslint.config.mjs - how JavaScript is written here, layout included: tests/tidy/javascript runs it. The layout is @stylistic's,
// with what this tree does differently from its defaults; a line may hold a short block or a list as it reads best.

import js from "@eslint/js";
import stylistic from "@stylistic/eslint-plugin";
import globals from "globals";

export default [
  { ignores: ["**/node_modules/**", "build/**"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  stylistic.configs.customize({ indent: 2, quotes: "double", semi: true, arrowParens: true, braceStyle: "1tbs" }),
  {
    rules: {
      "array-callback-return": "error",
      "consistent-return": "error",
      "dot-notation": "error",
      "eqeqeq": "error",
      "logical-assignment-operators": "error",
      "no-else-return": "error",
      "no-implicit-coercion": "error",
      "no-lonely-if": "error",
      "no-return-assign": "error",
      "no-self-compare": "error",
      "no-template-curly-in-string": "error",
      "no-throw-literal": "error",
      "no-unused-expressions": "error",
      "no-useless-return": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-arrow-callback": "error",
      "prefer-const": "error",
      "prefer-template": "error",
      "radix": "error",

      "@stylistic/indent-binary-ops": "off",
      "@stylistic/list-style": "off",
      "@stylistic/max-len": ["error", { code: 160, ignoreUrls: true }],
      "@stylistic/max-statements-per-line": "off",
      "@stylistic/multiline-ternary": "off",
      "@stylistic/operator-linebreak": ["error", "after", { overrides: { "?": "before", ":": "before" } }],
      "@stylistic/quote-props": "off",
      "@stylistic/quotes": ["error", "double", { avoidEscape: true, allowTemplateLiterals: "always" }],
    },
  },
  { files: ["gateway/web/**"], languageOptions: { globals: globals.browser } },
  { files: ["tests/**"], languageOptions: { globals: globals.node } },
  // Functions in here are also given to a page.
  { files: ["tests/e2e/**", "tests/proxies/**"], languageOptions: { globals: globals.browser } },
  { files: ["tests/bench/peers/bun.mjs"], languageOptions: { globals: { Bun: "readonly" } } },
];
