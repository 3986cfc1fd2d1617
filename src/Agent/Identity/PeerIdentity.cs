using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace ControlPlane.Agent.Identity;

/// <summary>Who a certificate was issued for: the URI in it says so (reliability.md 7.1).</summary>
/// <param name="Name">A node's name, or a host's.</param>
public sealed record PeerIdentity(PeerKind Kind, string Name)
{
    const string Domain = "spiffe://controlplane/";
    const string Node = Domain + "node/";
    const string Host = Domain + "host/";
    const string Agent = "/agent";

    public string Uri => Kind == PeerKind.Node ? Node + Name : Host + Name + Agent;

    public override string ToString() => Kind == PeerKind.Node ? $"node {Name}" : $"the agent of host {Name}";

    /// <summary>Null unless the certificate has exactly one URI, and it is one of ours.</summary>
    public static PeerIdentity? Of(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        try
        {
            return Uris(certificate) is [var uri] ? Read(uri) : null;
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    static PeerIdentity? Read(string uri) =>
        uri.StartsWith(Node, StringComparison.Ordinal) ? Named(PeerKind.Node, uri[Node.Length..])
        : uri.StartsWith(Host, StringComparison.Ordinal) && uri.EndsWith(Agent, StringComparison.Ordinal) && uri.Length > Host.Length + Agent.Length
            ? Named(PeerKind.Agent, uri[Host.Length..^Agent.Length])
            : null;

    static PeerIdentity? Named(PeerKind kind, string name) => Messages.Names.IsName(name) ? new PeerIdentity(kind, name) : null;

    static List<string> Uris(X509Certificate2 certificate)
    {
        const string alternativeNames = "2.5.29.17";
        var uri = new Asn1Tag(TagClass.ContextSpecific, 6);
        var found = new List<string>();
        foreach (var extension in certificate.Extensions.Where(extension => extension.Oid?.Value == alternativeNames))
        {
            var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            while (names.HasData)
            {
                if (names.PeekTag() == uri)
                {
                    found.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, uri));
                }
                else
                {
                    names.ReadEncodedValue();
                }
            }
        }
        return found;
    }
}

/// <summary>What a peer is.</summary>
public enum PeerKind
{
    /// <summary>A member of the cluster; its certificate is of the authority itself.</summary>
    Node = 1,

    /// <summary>The agent of one host.</summary>
    Agent,
}
