#!/usr/bin/env node
// Owns the one sentence for an old Node. main.ts is a symbolic link to this file, which is CommonJS in old syntax. A
// Node that doesn't know TypeScript can't even open a .ts file of an ES-module package.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    'Import Tracker needs Node 24 or newer, and this is Node ' +
      process.versions.node +
      ': start it with "npm start", which uses the Node that "npm ci" installs.',
  )
  process.exit(1)
}

// Node runs the sources of a checkout; a package has them built, because Node strips no types below node_modules.
const { existsSync } = require('node:fs')
import(existsSync(`${__dirname}/cli`) ? './cli/index.ts' : '../dist/src/cli/index.js')
