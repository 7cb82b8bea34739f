import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import javax.security.auth.Subject;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.callback.PasswordCallback;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;
import javax.security.auth.login.LoginContext;
import org.ietf.jgss.GSSContext;
import org.ietf.jgss.GSSManager;
import org.ietf.jgss.GSSName;
import org.ietf.jgss.Oid;

/** Logs a user on as Java applications do, and makes the first token for a service. Arguments: USER PASSWORD SERVICE. */
public class Logon {
    public static void main(String[] words) throws Exception {
        Map<String, String> options = new HashMap<>();
        options.put("useTicketCache", "false");
        options.put("refreshKrb5Config", "true");
        Configuration configuration = new Configuration() {
            @Override
            public AppConfigurationEntry[] getAppConfigurationEntry(String name) {
                return new AppConfigurationEntry[] {new AppConfigurationEntry(
                    "com.sun.security.auth.module.Krb5LoginModule",
                    AppConfigurationEntry.LoginModuleControlFlag.REQUIRED, options)};
            }
        };
        LoginContext context = new LoginContext("client", new Subject(), callbacks -> {
            for (Callback callback : callbacks) {
                if (callback instanceof NameCallback) ((NameCallback) callback).setName(words[0]);
                if (callback instanceof PasswordCallback) ((PasswordCallback) callback).setPassword(words[1].toCharArray());
            }
        }, configuration);
        context.login();
        System.out.println("principal " + context.getSubject().getPrincipals().iterator().next());
        byte[] token = Subject.doAs(context.getSubject(), (java.security.PrivilegedExceptionAction<byte[]>) () -> {
            GSSManager manager = GSSManager.getInstance();
            GSSName service = manager.createName(words[2], GSSName.NT_HOSTBASED_SERVICE);
            GSSContext peer = manager.createContext(service, new Oid("1.3.6.1.5.5.2"), null, GSSContext.DEFAULT_LIFETIME);
            peer.requestMutualAuth(true);
            return peer.initSecContext(new byte[0], 0, 0);
        });
        System.out.println("token " + Base64.getEncoder().encodeToString(token));
    }
}
