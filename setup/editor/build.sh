#!/bin/sh
# Builds static/vendor/codemirror-VERSION.min.js from the packages that package-lock.json pins. Needs Node.js 20 or later.
# tests/test_static_files.py holds the hash of the result: change it there with the file.
set -eu
cd "$(dirname "$0")"
npm ci --no-audit --no-fund
version=$(node -p 'require("./package.json").devDependencies["@codemirror/view"]')
vendor=../../static/vendor
rm -f "$vendor"/codemirror-*
npx esbuild bundle.js --bundle --minify --format=iife --global-name=CodeMirror --target=es2022 --legal-comments=none \
  --outfile="$vendor/codemirror-$version.min.js"
{
  echo "codemirror-$version.min.js contains these packages, each under the MIT licence below:"
  node -p 'Object.entries(require("./package-lock.json").packages).filter(([path, { dev }]) => /^node_modules\/(?!esbuild|@esbuild)/.test(path)).map(([path, { version }]) => `${path.replace("node_modules/", "")} ${version}`).join("\n")'
  echo
  cat node_modules/@codemirror/view/LICENSE
} > "$vendor/codemirror-$version.LICENSE.txt"
rm -rf node_modules
