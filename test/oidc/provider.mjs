// A real OpenID provider for the scenarios:
//
//	node provider.mjs FOLDER ISSUER PORT [CONSOLE]
//
// FOLDER is where oidc-provider is installed. Each start has a signing key of its own. Anybody can sign in under any name, which
// says the groups that they are in: ops.alice is in the group ops. CONSOLE is the URL of a console that people sign in to.
import { createHash, generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, issuer, port, console_] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(join(folder, 'node_modules', 'oidc-provider', 'lib', 'index.js')));

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = privateKey.export({ format: 'jwk' });
key.kid = createHash('sha256').update(key.n).digest('hex').slice(0, 16);
key.alg = 'RS256';
key.use = 'sig';

const app = new URL(issuer);
app.hostname = 'app.test';
const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  cookies: { keys: ['a-key-of-the-test'] },
  clients: [{
    client_id: 'shop',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [`${app.origin}/callback`],
    post_logout_redirect_uris: [`${app.origin}/`],
    application_type: 'web',
  }, ...(console_ ? [{
    client_id: 'seshat',
    client_secret: 'a-secret-of-the-console',
    redirect_uris: [`${console_}/sign-in/oidc/callback`],
    post_logout_redirect_uris: [`${console_}/sign-in`],
    application_type: 'web',
  }] : [])],
  pkce: { required: () => true },
  scopes: ['openid', 'offline_access', 'email', 'profile', 'groups', 'api'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id, email: `${id}@shop.example`, email_verified: true, name: `${id} of the shop`, groups: id.split('.').slice(0, -1),
    }),
  }),
  rotateRefreshToken: true,
  ttl: { AccessToken: 600, RefreshToken: 3600, IdToken: 600, Session: 3600, Grant: 3600, Interaction: 600 },
  features: {
    devInteractions: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        scope: 'api', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 600, jwt: { sign: { alg: 'RS256' } },
      }),
      useGrantedResource: () => false,
    },
  },
});
provider.proxy = true; // the gateway in front says how it was asked
provider.on('server_error', (_, error) => console.error(error));
provider.listen(Number(port), '127.0.0.1', () => console.error('listening'));
