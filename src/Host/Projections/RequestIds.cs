namespace ControlPlane.Host.Projections;

/// <summary>Message ids that doors give. Only these can be repeated by a client, so only these are kept in the read tables.</summary>
static class RequestIds
{
    /// <summary>Begins the id of a request with an Idempotency-Key.</summary>
    public const string Key = "key:";

    /// <summary>Begins the id of an OID, which brings its own request id.</summary>
    public const string Oid = "oid:";

    /// <summary>Begins the id of a request that nobody can repeat.</summary>
    public const string Once = "once:";

    public static bool OfDoor(string? messageId) => messageId is not null
        && (messageId.StartsWith(Key, StringComparison.Ordinal) || messageId.StartsWith(Oid, StringComparison.Ordinal));
}
