import { parse } from 'pg-connection-string'
import { expect, test, vi } from 'vitest'
import { withPlainSslMode } from '../../src/db/ssl-mode.ts'

test.each(['prefer', 'require', 'verify-ca', 'verify-full', 'no-verify', 'disable'])(
  'sslmode=%s means the same, and prints no warning between the lines of the log',
  (mode) => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const ours = parse(withPlainSslMode(`postgres://u:p%40ss@h:1/d?sslmode=${mode}&application_name=x`))
    expect(warned).not.toHaveBeenCalled()
    const theirs = parse(`postgres://u:p%40ss@h:1/d?sslmode=${mode}&application_name=x`)
    warned.mockRestore()
    expect({ ...ours, sslmode: mode }).toEqual({ ...theirs, sslmode: mode })
  },
)

test.each(['postgres://u:p@h/d', 'postgres://u@%2Fvar%2Frun/d', 'postgres://h/d?uselibpqcompat=true&sslmode=require'])(
  '%s stays as it is',
  (url) => expect(withPlainSslMode(url)).toBe(url),
)
