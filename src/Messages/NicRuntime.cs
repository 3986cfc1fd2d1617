namespace ControlPlane.Messages;

/// <summary>What a NIC's data path has gathered while it ran: what a save takes along.</summary>
/// <param name="Learned">Source addresses seen behind the NIC, lower case with colons, in order; at most <see cref="LearnedMax"/>.</param>
/// <param name="SpoofedDropped">Frames dropped because of their source address; at most <see cref="CountMax"/>.</param>
/// <param name="AclHits">Frames that each rule of the policy decided, in the order of the rules; each at most <see cref="CountMax"/>.</param>
public sealed record NicRuntime(IReadOnlyList<string> Learned, long SpoofedDropped, IReadOnlyList<long> AclHits)
{
    /// <summary>Addresses that one NIC has; a guest can make its bridge learn any number, and more are left to the bridge.</summary>
    public const int LearnedMax = 256;

    /// <summary>2^53 - 1, the largest whole number that every reader of JSON takes exactly. A counter stays there.</summary>
    public const long CountMax = (1L << 53) - 1;

    public static readonly NicRuntime Empty = new([], 0, []);

    /// <summary>After a restore: addresses join those that are there, counts go on from those that are given.</summary>
    public NicRuntime With(NicRuntimePart given) => new(
        given.Learned is { } learned
            ? [.. learned.Concat(Learned).Distinct(StringComparer.Ordinal).Take(LearnedMax).Order(StringComparer.Ordinal)]
            : Learned,
        given.SpoofedDropped ?? SpoofedDropped,
        given.AclHits ?? AclHits);
}

/// <summary>
/// What one NIC_RESTORE gives back to a NIC's data path. Each extension has its own part of what was gathered, so what is
/// null is another's and stays as it is (switch.md 4.2).
/// </summary>
public sealed record NicRuntimePart(IReadOnlyList<string>? Learned = null, long? SpoofedDropped = null, IReadOnlyList<long>? AclHits = null)
{
    /// <summary>Null when a data path can have gathered it; else what is wrong with it: a blob comes from anywhere.</summary>
    public string? Refuse() =>
        Learned is { Count: > NicRuntime.LearnedMax } ? $"{Learned.Count} addresses; a NIC has at most {NicRuntime.LearnedMax}"
        : Learned?.Any(address => address is null || MacAddress.Canonical(address) != address) == true ? "an address that is no MAC in lower case with colons"
        : AclHits is { Count: > PortPolicy.AclsMax } ? $"counters of {AclHits.Count} access rules; a port has at most {PortPolicy.AclsMax}"
        : !IsCount(SpoofedDropped ?? 0) || AclHits?.All(IsCount) == false ? $"a count that is not within 0 to {NicRuntime.CountMax}"
        : null;

    static bool IsCount(long count) => count is >= 0 and <= NicRuntime.CountMax;
}
