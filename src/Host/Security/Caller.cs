namespace ControlPlane.Host.Security;

/// <summary>What a caller may do; each includes the ones before it (api.md 6).</summary>
enum Role
{
    Viewer = 1,
    /// <summary>Moves VMs, and changes nothing else.</summary>
    Migrator,
    Operator,
    Admin,
}

/// <summary>Who speaks, as the history records it.</summary>
sealed record Caller(string Who, Role Role)
{
    /// <summary>Without a token, on loopback: reads only.</summary>
    public static readonly Caller Anonymous = new("viewer:anonymous", Role.Viewer);
}

/// <summary>Says of an endpoint that a caller below an operator may use it; without it every change needs an operator.</summary>
sealed record ChangeNeeds(Role Role);
