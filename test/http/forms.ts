// Owns posting forms as a browser without scripts does: signed in, from the site's own pages, with what they hold.
import type { Api } from '../support/worlds/api.ts'

type Fields = Record<string, string> | [string, string][]

export interface Forms {
  signedIn(scope: 'read' | 'write' | 'admin', name?: string): Promise<string>
  page(path: string, cookie: string): Promise<Answer>
  post(path: string, cookie: string, fields: Fields): Promise<Answer>
  /** Returns what a form of the page holds, with what is hidden in it, and with these fields typed over it. */
  filled(body: string, action: string, typed?: Record<string, string>): Record<string, string>
  /** Asks for the page that an answer leads to. */
  follow(answer: Answer, cookie: string): Promise<Answer>
}

export interface Answer {
  status: number
  headers: Headers
  body: string
}

export function formsOf(api: Api): Forms {
  const forms: Forms = {
    async signedIn(scope, name = `a ${scope}er`) {
      const { body } = await api.call('POST /v1/tokens', {}, { body: { name, scope } })
      const form = new URLSearchParams({ token: body.token })
      const { headers } = await api.send('/login', { method: 'POST', redirect: 'manual', body: form })
      return headers.getSetCookie()[0]?.split(';')[0] ?? ''
    },
    page: (path, cookie) => api.send(path, { headers: { cookie, accept: 'text/html' } }),
    post(path, cookie, fields) {
      const headers = { cookie, accept: 'text/html', origin: api.url }
      return api.send(path, { method: 'POST', redirect: 'manual', headers, body: new URLSearchParams(fields) })
    },
    filled(body, action, typed = {}) {
      const at = body.indexOf(`method="post" action="${action}"`)
      if (at < 0) throw new Error(`The page has no form for ${action}.`)
      const form = body.slice(at, body.indexOf('</form>', at))
      const given = [
        ...form.matchAll(/<input (?:type="(?:hidden|text|url)" )?[^>]*?name="([^"]+)"[^>]* value="([^"]*)"/g),
      ]
        .filter(([text]) => !/type="(checkbox|radio|password)"/.test(text))
        .map(([, name = '', value = '']) => [name, unescaped(value)] as const)
      const areas = [...form.matchAll(/<textarea [^>]*name="([^"]+)"[^>]*>\n([^<]*)</g)].map(
        ([, name = '', value = '']) => [name, unescaped(value)] as const,
      )
      return { ...Object.fromEntries([...given, ...areas]), ...typed }
    },
    follow: (answer, cookie) => forms.page(answer.headers.get('location') ?? '', cookie),
  }
  return forms
}

function unescaped(text: string): string {
  return text.replaceAll(/&#(\d+);/g, (_all, code) => String.fromCharCode(Number(code)))
}
