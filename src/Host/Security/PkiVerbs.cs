using ControlPlane.Agent.Identity;
using ControlPlane.Host.Composition;
using ControlPlane.Messages;

namespace ControlPlane.Host.Security;

/// <summary>What an operator makes with <c>controlplane pki</c>; each verb says what it did, or why it did nothing.</summary>
static class PkiVerbs
{
    public const string Usage =
        "usage: controlplane pki init DIR | pki node DIR NAME INTO | pki agent DIR HOST INTO | pki issuer DIR INTO";

    /// <exception cref="SettingException">There is no such verb, or its words are wrong.</exception>
    /// <exception cref="IdentityException">The directory has what must not be written over, or lacks what is needed.</exception>
    public static string Run(IReadOnlyList<string> args, TimeProvider time)
    {
        switch (args)
        {
            case ["init", var directory]:
                Pki.Init(directory, time);
                return $"an authority in {directory}; keep ca.key where no node is";
            case ["node", var directory, var node, var into]:
                Pki.Node(directory, Name(node), into, time);
                return $"a certificate for node {node} in {into}, good for 90 days";
            case ["agent", var directory, var host, var into]:
                Pki.Agent(directory, Name(host), into, time);
                return $"a certificate for the agent of host {host} in {into}, good for 90 days";
            case ["issuer", var directory, var into]:
                Pki.Issuer(directory, into, time);
                return $"an issuer of agents' certificates in {into}, good for 90 days";
            default:
                throw new SettingException(Usage);
        }
    }

    static string Name(string name) => Names.IsName(name) ? name : throw new SettingException($"\"{name}\" is no name: a-z, 0-9, dot, hyphen and underscore. {Usage}");
}
